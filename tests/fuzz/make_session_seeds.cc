// Seeds of sessions and calls that move.
#include "fuzz/seeds.h"
#include "scenario/media_transport/call.h"
#include "support/suites.h"
#include "wire/writer.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;
using transport::Call;
using transport::CallOptions;

// Rows of bytes, such as the steps of a target.
using Steps = std::vector<std::vector<int>>;

Buffer joined(int first, const std::vector<Steps>& parts) {
  Buffer bytes{static_cast<std::byte>(first)};
  for (const Steps& part : parts) {
    for (const auto& step : part) {
      for (const int value : step) bytes.push_back(static_cast<std::byte>(value));
    }
  }
  return bytes;
}

}  // namespace

void session_state_seeds() {
  for (const auto suite :
       {CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256, CipherSuite::psk_with_aes_128_ccm_8,
        CipherSuite::aes_128_gcm_sha256, CipherSuite::aes_256_gcm_sha384}) {
    ConfigOptions options = test::options_for_suite(suite);
    options.connection_id_size = 8;
    options.resumption = Resumption::tickets;
    options.ticket_keys = std::make_shared<TicketKeys>();
    const ConfigPtr config = must(Config::make(options));
    test::Peer client = test::make_client(config);
    test::Peer server = test::make_server(config);
    test::exchange(client, server);
    client.seal(test::bytes_of("lost"));
    server.receive(client.seal(test::bytes_of("data")), {});
    for (test::Peer* peer : {&client, &server}) {
      const std::string name = test::name_of_suite(suite) + (peer == &client ? "_c" : "_s");
      const auto state =
          must(std::move(peer->connection())
                   .export_session({.tag = test::bytes_of("tag"), .with_certificates = true}));
      write("session_state_fuzz", name, state.bytes());
    }
  }
}

namespace {

// In the order of waking_fuzz's steps.

constexpr int kDevices = 3;

Steps sends(int device, int address = 0) {
  return {{2, device}, {3, device + kDevices * address, 0, 0, 0, 0}};
}
// `which`: the state, as waking_fuzz's Which.
Steps wakes(int question, int which, int device, int bits = 0) {
  return {{6, question, which, device, bits}};
}
void write_waking(const std::string& name, int choices, const std::vector<Steps>& parts) {
  write("waking_fuzz", name, joined(choices, parts));
}

void genuine_waking_seeds(int device) {
  const Steps ages{{5, 100}, {5, 100}};
  const Steps is_answered{{4, device}};
  const Steps answers{{9, device, 3}};
  const Steps leaves{{9, device, 2}};
  for (const int choices : {0, 1, 4, 8 + 4, 32, 64}) {
    const std::string name = "_" + std::to_string(device) + "_" + std::to_string(choices);
    write_waking("wakes" + name, choices,
                 {sends(device), sends(device), wakes(0, 0, device), sends(device), ages,
                  sends(device), wakes(1, 0, device), is_answered, sends(device)});
    write_waking("moves" + name, choices,
                 {sends(device, 2), wakes(0, 0, device), is_answered, sends(device, 3), answers,
                  is_answered, sends(device, 3), leaves, sends(device, 1), wakes(1, 0, device, 1)});
  }
}

void bad_waking_seeds(int device) {
  const std::string of = "_" + std::to_string(device);
  const Steps leaves{{9, device, 2}};
  write_waking("old" + of, 0,
               {sends(device), wakes(0, 0, device), sends(device), leaves, sends(device),
                wakes(1, 1, device), sends(device)});
  const Steps wakes_altered{{6, 0, 2, device, 0, 60, 1, 0}};
  const Steps adopts_altered{{8, 2, device, 0, 10, 4, 0}};
  write_waking("altered" + of, 0,
               {sends(device), wakes_altered, sends(device), adopts_altered, sends(device)});
  write_waking("lies" + of, 0,
               {sends(device),
                wakes(0, 0, (device + 1) % kDevices),
                sends(device),
                {{5, 20}},
                sends(device),
                wakes(1, 0, device)});
  write_waking("late" + of, 0,
               {sends(device),
                {{5, 20}},
                wakes(0, 0, device),
                sends(device),
                {{7, 1}},
                sends(device),
                {{5, 25}},
                sends(device),
                wakes(2, 0, device)});
  const Steps adopts{{8, 0, device, 1}};
  const Steps adopts_old{{8, 1, device, 2}};
  write_waking("faster" + of, 1, {sends(device), adopts, wakes(0, 1, device)});
  write_waking("twice" + of, 0, {adopts, adopts_old, adopts_altered, sends(device)});
}

}  // namespace

void waking_seeds() {
  for (int device = 0; device < kDevices; ++device) {
    genuine_waking_seeds(device);
    bad_waking_seeds(device);
  }
  write_waking("full", 2,
               {sends(0), sends(1), wakes(0, 0, 0), wakes(1, 0, 1), sends(2), wakes(2, 0, 2)});
  write_waking("made_up", 0,
               {{{1, 0, 1, 0}, {1, 1, 2, 1}, {1, 2, 3, 0}, {7, 0}, {7, 1}, {1, 3, 1, 0}},
                sends(0),
                wakes(2, 0, 0)});
  write_waking("more_ids", 0,
               {{{8, 0, 1, 1}, {9, 1, 0}},
                sends(1),
                {{3, 1, 0, 0, 0, 0}, {4, 1}, {9, 1, 1}},
                sends(1),
                {{9, 1, 2}},
                sends(1),
                wakes(0, 0, 1),
                sends(1)});
  write_waking("ended", 16,
               {{{8, 0, 0, 0}, {8, 0, 1, 0}, {9, 0, 4}, {9, 1, 5}}, sends(0), sends(1)});
}

namespace {

void talk(Call& call) {
  for (int i = 0; i < 5; ++i) {
    for (auto* from : {&call.client, &call.server}) {
      const std::uint32_t ssrc = from == &call.client ? 1 : 2;
      call.send_rtp(
          *from, test::make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(65533 + i)}));
      call.send_rtcp(*from, test::make_rtcp(ssrc));
      call.send_data(*from, transport::kData);
    }
  }
  call.run_for(std::chrono::seconds{1});
}

// The first byte chooses what media_state_fuzz reads.
void write_media(const std::string& name, int kind, Bytes state) {
  Buffer bytes{static_cast<std::byte>(kind)};
  bytes.insert(bytes.end(), state.begin(), state.end());
  write("media_state_fuzz", name, bytes);
}

void srtp_seeds(SrtpProfile profile) {
  auto keys = test::make_srtp_keys(profile);
  auto client = srtp::Session::make(std::move(keys.client)).value();
  auto server = srtp::Session::make(std::move(keys.server)).value();
  const auto send = [](srtp::Session& from, std::uint32_t ssrc, int sequence) {
    const auto packet =
        test::make_rtp({.ssrc = ssrc, .sequence = static_cast<std::uint16_t>(sequence)});
    auto sealed = packet;
    sealed.resize(packet.size() + srtp::kMaxTrailer);
    sealed.resize(from.protect_rtp(sealed, packet.size()).value());
    return sealed;
  };
  for (const int sequence : {65530, 65534, 65536, 65540}) {
    send(client, 1, sequence);
    send(client, 2, sequence);
    auto from_server = send(server, 3, sequence);
    static_cast<void>(client.unprotect_rtp(from_server));
  }
  client.remove_ssrc(srtp::Direction::outbound, 2);
  const auto name = std::to_string(static_cast<unsigned>(profile));
  write_media("srtp_" + name, 0, std::move(client).export_state().bytes());
  write_media("srtp_unused_" + name, 0, std::move(server).export_state().bytes());
}

}  // namespace

void media_state_seeds() {
  for (const auto profile : test::kAllSrtpProfiles) srtp_seeds(profile);
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    for (const bool has_ids : {false, true}) {
      CallOptions options = transport::call_options(version);
      for (auto* side : {&options.client_dtls, &options.server_dtls}) {
        if (has_ids) side->connection_id_size = 4;
        side->return_routability = ReturnRoutability::none;
      }
      Call call(options);
      call.connect();
      if (has_ids) talk(call);
      const std::string name =
          std::string(version == ProtocolVersion::dtls13 ? "dtls13" : "dtls12") +
          (has_ids ? "_ids_" : "_");
      write_media(name + "c", 1, must(std::move(call.client.transport).export_session()).bytes());
      write_media(name + "s", 1, must(std::move(call.server.transport).export_session()).bytes());
    }
  }
}

}  // namespace sluice::fuzz
