// Writes the seeds of the fuzz targets here, mostly the messages of a handshake between two of our
// own connections:   sluice_fuzz_seeds tests/fuzz/seeds
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "crypto/openssl_ptr.h"
#include "flight/reassembler.h"
#include "fuzz/connection_harness.h"
#include "fuzz/seeds.h"
#include "record/record_layer.h"
#include "support/bytes.h"
#include "support/encodings.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"
#include "wire/writer.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;
using wire::HandshakeType;

std::filesystem::path root;

Identity identity() { return must(Identity::from_pem(test::kCertificate, test::kPrivateKey)); }

// ---- a recorded handshake

struct Recording {
  std::vector<Buffer> from_client;  // datagrams
  std::vector<Buffer> from_server;
  std::map<HandshakeType, Buffer> bodies;
};

void take_messages(Recording& recording, const std::vector<Buffer>& datagrams) {
  record::RecordLayer records;
  flight::Reassembler reassembler({.max_message = 65536, .max_bytes = 131072});
  for (Buffer datagram : datagrams) {
    for (MutableBytes rest(datagram); !rest.empty();) {
      const auto taken = records.take(rest);
      const auto* record = std::get_if<record::Record>(&taken);
      if (record == nullptr || record->type != wire::ContentType::handshake) continue;
      wire::Reader reader(record->contents);
      while (const auto fragment = message::HandshakeFragment::take(reader)) {
        must(reassembler.add(*fragment, record->epoch));
      }
      for (; reassembler.front(); reassembler.pop()) {
        recording.bodies[reassembler.front()->type] = test::copy_of(reassembler.front()->body());
      }
    }
  }
}

// Of DTLS 1.2, which has all the messages that message_fuzz decodes.
Recording record_handshake() {
  ConfigOptions options;
  options.identities = {identity()};
  options.max_version = ProtocolVersion::dtls12;
  const ConfigPtr config = must(Config::make(options));
  test::Peer client = test::make_client(config);
  test::Peer server = test::make_server(config);
  Recording recording;
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& datagram : client.take_datagrams()) {
      recording.from_client.push_back(datagram);
      server.receive(std::move(datagram), {});
      moved = true;
    }
    for (auto& datagram : server.take_datagrams()) {
      recording.from_server.push_back(datagram);
      client.receive(std::move(datagram), {});
      moved = true;
    }
  }
  take_messages(recording, recording.from_client);
  take_messages(recording, recording.from_server);
  return recording;
}

// ---- targets

Buffer stored_session() {
  ConfigOptions options;
  options.identities = {identity()};
  options.max_version = ProtocolVersion::dtls12;
  options.resumption = Resumption::store;
  const ConfigPtr config = must(Config::make(options));
  test::Peer client = test::make_client(config);
  test::Peer server = test::make_server(config);
  test::exchange(client, server);
  return client.sessions.at(0).serialize();
}

void message_seeds(const Recording& recording) {
  // In the order of message_fuzz's decoders.
  constexpr std::array kMessages{
      HandshakeType::certificate,         HandshakeType::certificate_request,
      HandshakeType::certificate_verify,  HandshakeType::client_key_exchange,
      HandshakeType::server_key_exchange, HandshakeType::server_hello};
  const auto seed = [](std::size_t decoder, const std::string& name, Bytes body) {
    Buffer bytes{static_cast<std::byte>(decoder)};
    bytes.insert(bytes.end(), body.begin(), body.end());
    write("message_fuzz", name, bytes);
  };
  for (std::size_t i = 0; i < kMessages.size(); ++i) {
    const Buffer& body = recording.bodies.at(kMessages[i]);
    seed(i, "message_" + std::to_string(static_cast<int>(kMessages[i])), body);
  }
  seed(6, "hello_verify_request", test::from_hex("feff 04 01020304"));
  seed(7, "alert", test::from_hex("022a"));
  seed(8, "fragments", Bytes(recording.from_client.front()).subspan(record::kHeaderSize12));
  seed(9, "use_srtp", test::from_hex("0004 0008 0001 00"));
  seed(10, "code_list_two", test::from_hex("0004 001d 0017"));
  seed(10, "code_list_one", test::from_hex("04 fefc fefd"));
  seed(11, "point_formats", test::from_hex("01 00"));
  seed(12, "new_session_ticket", test::from_hex("00015180 0004 01020304"));
  seed(19, "stored_session", stored_session());
  seed(20, "new_connection_id", test::from_hex("0006 02aaab 02bbbc 01"));
  seed(21, "path_response", test::from_hex("01 0102030405060708"));
}

// In the order of encode_fuzz's codecs, behind which stand the rows of sizes.
void encode_seeds(const Recording& recording) {
  const auto seed = [](std::size_t codec, const std::string& name, Bytes input) {
    Buffer bytes{static_cast<std::byte>(codec)};
    bytes.insert(bytes.end(), input.begin(), input.end());
    write("encode_fuzz", name, bytes);
  };
  seed(0, "client_hello", recording.bodies.at(HandshakeType::client_hello));
  seed(1, "server_hello", recording.bodies.at(HandshakeType::server_hello));
  seed(2, "certificate12", recording.bodies.at(HandshakeType::certificate));
  seed(3, "certificate13", test::from_hex("00 000009 000004 01020304 0000"));
  seed(4, "certificate_request12", recording.bodies.at(HandshakeType::certificate_request));
  seed(4, "certificate_request13", test::from_hex("00 000a 000d 0006 0004 0403 0804"));
  seed(5, "new_session_ticket", test::from_hex("00015180 01020304 01 00 0004 01020304 0000"));
  seed(6, "ack", test::from_hex("0010 0000000000000002 0000000000000001"));
  seed(7, "server_name", test::from_hex("0004 00 0001 61"));
  seed(7, "protocols", test::from_hex("0006 02 6832 02 6833"));
  seed(7, "groups", test::from_hex("0004 001d 0017"));
  seed(8, "pre_shared_keys",
       test::from_hex("0007 0001 61 00000000 0021 20" + std::string(64, '0')));
  seed(9, "stored_session", stored_session());
  constexpr std::size_t kFirstRow = 10;
  for (std::size_t row = kFirstRow;
       row < kFirstRow + test::message_encodings().size() + test::stored_encodings().size();
       ++row) {
    // Each field at its maximum.
    seed(row, "sizes_" + std::to_string(row), test::from_hex("800001 800001 800001 800001"));
  }
}

void client_hello_seeds(const Recording& recording) {
  write("client_hello_fuzz", "sluice", recording.bodies.at(HandshakeType::client_hello));
  const auto browsers = nlohmann::json::parse(
      std::ifstream(root.parent_path().parent_path() / "kat/dtls/browser_client_hellos.json"));
  for (const auto& [name, hello] : browsers.at("hellos").items()) {
    write("client_hello_fuzz", name,
          test::from_hex(hello.at("client_hello_body").get<std::string>()));
  }
}

void certificate_seeds() {
  const Identity own = identity();
  const Buffer certificate = test::copy_of(own.certificate());
  write("certificate_key_fuzz", "p256", certificate);
  // BER's indefinite length outside.
  Buffer indefinite = test::from_hex("3080");
  indefinite.insert(indefinite.end(), certificate.begin() + 4, certificate.end());
  indefinite.insert(indefinite.end(), 2, std::byte{0});
  write("certificate_key_fuzz", "indefinite", indefinite);
  write("certificate_key_fuzz", "p384", test::p384_identity().certificate());
  write("certificate_key_fuzz", "rsa", test::rsa_identity().certificate());
  write("certificate_key_fuzz", "raw_p256", identity().public_key());
  write("certificate_key_fuzz", "raw_p384", test::p384_identity().public_key());
}

void record_seeds(const Recording& recording) {
  const auto seed = [](const std::string& name, unsigned flags,
                       const std::vector<Buffer>& datagrams) {
    Buffer bytes;
    wire::Writer out(bytes);
    out.u8(static_cast<std::uint8_t>(flags));
    for (const Buffer& datagram : datagrams) {
      out.u8(1);
      out.u16(static_cast<std::uint16_t>(datagram.size()));
      out.bytes(datagram);
    }
    // A sealed record, changed in its sequence number.
    out.u8(0);
    out.u16(4);
    out.bytes(test::bytes_of("data"));
    out.u16(10);
    out.u8(1);
    write("record_fuzz", name, bytes);
  };
  seed("client_fresh", 2, recording.from_client);
  seed("client_keyed", 3, recording.from_client);
  seed("encrypted_only", 1, recording.from_server);
  seed("connection_ids", 3 | 8 << 2, recording.from_client);
}

void reassembler_seeds() {
  struct Fragment {
    std::uint8_t seq;
    std::uint8_t flags;
    std::uint16_t offset;
    std::uint16_t size;
  };
  const auto seed = [](const std::string& name, std::uint16_t base,
                       const std::vector<Fragment>& fragments) {
    Buffer bytes;
    wire::Writer out(bytes);
    out.u8(0);
    out.u16(base);
    for (const Fragment& fragment : fragments) {
      out.u8(fragment.seq);
      out.u8(fragment.flags);
      out.u16(fragment.offset);
      out.u16(fragment.size);
    }
    write("reassembler_fuzz", name, bytes);
  };
  seed("in_order", 100, {{0, 0, 0, 60}, {0, 0, 60, 40}, {1, 0, 0, 0xffff}});
  seed("reversed", 100, {{1, 0, 0, 0xffff}, {0, 0, 60, 40}, {0, 0, 30, 30}, {0, 0, 0, 30}});
  seed("overlapping", 200, {{0, 0, 50, 100}, {0, 0, 20, 90}, {0, 0, 0, 40}, {0, 0, 120, 80}});
  seed("contradicting", 50, {{0, 0, 10, 20}, {0, 0xff, 0, 10}});
  seed("far_ahead", 2000, {{17, 0, 0, 100}, {16, 0, 0, 2000}, {15, 0, 0, 2000}, {0, 0, 0, 2000}});
}

// One input of a connection target.
class Program {
 public:
  Program(State state, std::uint8_t choices) {
    out_.u8(static_cast<std::uint8_t>(state));
    out_.u8(choices);
  }
  Program& step(Step step, std::initializer_list<int> arguments = {}) {
    out_.u8(static_cast<std::uint8_t>(step));
    for (const int argument : arguments) out_.u8(static_cast<std::uint8_t>(argument));
    return *this;
  }
  Program& datagram(Bytes bytes) {
    step(Step::datagram);
    out_.u16(static_cast<std::uint16_t>(bytes.size()));
    out_.bytes(bytes);
    return *this;
  }
  // The rest of the handshake, undisturbed.
  Program& finish() {
    for (int i = 0; i < 12; ++i) step(Step::next_from_peer, {0, 0, 0});
    return *this;
  }
  void save(const std::string& target, const std::string& name) const {
    write(target, name, bytes_);
  }

 private:
  Buffer bytes_;
  wire::Writer out_{bytes_};
};

// Connection IDs that change. Choices 65 and 79: of 1 and 7 bytes.
void rotation_seeds(const std::string& target) {
  for (const int choices : {65, 79}) {
    Program rotation(State::connected, static_cast<std::uint8_t>(choices));
    rotation.finish();
    for (const int what : {1, 0, 3, 2, 5, 4}) {
      rotation.step(Step::connection_ids, {what, 3})
          .step(Step::data, {10})
          .step(Step::next_from_peer, {0, 0, 0})
          .step(Step::next_from_peer, {0, 0, 0})
          .step(Step::time, {0, 200});
    }
    rotation.save(target, "connected_rotation_" + std::to_string(choices));
  }
  // RequestConnectionId, spare IDs and one to be used at once, from the message_seq on that the
  // peer may have reached.
  for (const int usage : {0, 2}) {
    Program given(State::connected, 79);
    given.finish();
    for (int seq = 2; seq < 12; seq += 3) {
      given.step(Step::handshake, {9, seq, 0, 0, 1, 1, 200})
          .step(Step::handshake, {10, seq + 1, 0, 0, 7, 7, 0, 4, 1, 65, 1, 66, 1})
          .step(Step::handshake, {10, seq + 2, 0, 0, 6, 6, 0, 3, 2, 67, 68, usage})
          .step(Step::data, {10});
    }
    given.save(target, "connected_ids_given_" + std::to_string(usage));
  }
}

void connection_seeds(const std::string& target, const std::vector<Buffer>& peers_datagrams) {
  static const std::map<State, std::string> kStates{{State::fresh, "fresh"},
                                                    {State::midst, "midst"},
                                                    {State::unaccepted, "unaccepted"},
                                                    {State::connected, "connected"}};
  for (const auto& [state, name] : kStates) {
    for (const int choices : {0, 1, 2, 4, 8, 16, 32, 64, 128}) {
      Program(state, static_cast<std::uint8_t>(choices))
          .finish()
          .step(Step::answer, {1, 0})
          .step(Step::data, {100})
          .step(Step::sealed_record, {23, 4, 'd', 'a', 't', 'a'})
          .save(target, name + "_" + std::to_string(choices));
    }
    Program(state, 0)
        .step(Step::next_from_peer, {0, 40, 1})
        .step(Step::time, {4, 0})
        .step(Step::path, {1, 44, 0, 20})
        .finish()
        .save(target, name + "_damaged");
    Program(state, 0).step(Step::fingerprints, {1}).finish().save(target, name + "_rejected");
    Program(state, 0)
        .step(Step::time, {255, 255})
        .step(Step::time, {255, 255})
        .save(target, name + "_late");
    Program(state, 0).step(Step::close).finish().save(target, name + "_closed");
    Program(state, 0)
        .step(Step::sealed_record, {21, 2, 1, 0})
        .step(Step::sealed_record, {20, 1, 1})
        .step(Step::handshake, {0, 0, 0, 0, 0, 0})
        .step(Step::handshake, {1, 5, 0, 0, 100, 2, 0, 0})
        .step(Step::handshake, {20, 3, 0, 0, 12, 1, 9})
        .save(target, name + "_scripted");
    Program recorded(state, 0);
    for (const Buffer& datagram : peers_datagrams) recorded.datagram(datagram);
    recorded.save(target, name + "_recorded");
  }
}

// In the order of listener_fuzz's steps.
void listener_seeds(const Recording& recording) {
  const auto seed = [](const std::string& name, std::uint8_t choices,
                       const std::function<void(wire::Writer&)>& steps) {
    Buffer bytes;
    wire::Writer out(bytes);
    out.u8(choices);
    steps(out);
    write("listener_fuzz", name, bytes);
  };
  const auto put = [](wire::Writer& out, std::initializer_list<int> step) {
    for (const int value : step) out.u8(static_cast<std::uint8_t>(value));
  };
  // Both hellos of the client, with whatever pause between them.
  const auto exchange = [&](wire::Writer& out, int seconds) {
    for (int i = 0; i < 3; ++i) put(out, {1, 0, 0, 0});
    put(out, {4, seconds, 3});
    for (int i = 0; i < 3; ++i) put(out, {1, 0, 0, 0});
  };
  for (const int choices : {0, 1, 2, 4, 5, 6, 8, 9}) {
    seed("exchange_" + std::to_string(choices), static_cast<std::uint8_t>(choices),
         [&](wire::Writer& out) { exchange(out, 1); });
  }
  seed("expired_12", 2, [&](wire::Writer& out) { exchange(out, 200); });
  seed("expired_13", 4, [&](wire::Writer& out) { exchange(out, 200); });
  seed("damaged", 0, [&](wire::Writer& out) {
    for (const int offset : {0, 14, 24, 60, 200}) put(out, {1, 0, offset, 1});
    put(out, {3, 1, 1, 0, 0});
  });
  seed("recorded", 0, [&](wire::Writer& out) {
    for (const Buffer& datagram : recording.from_client) {
      put(out, {0, 2});
      out.u16(static_cast<std::uint16_t>(datagram.size()));
      out.bytes(datagram);
    }
  });
  seed("fragments", 0, [&](wire::Writer& out) {
    put(out, {2, 0, 0, 0, 100, 0, 50, 4, 1, 2, 3, 4});
    put(out, {2, 1, 0, 0, 100, 0, 0, 4, 1, 2, 3, 4});
    put(out, {2, 0, 0, 0, 100, 0, 52, 2, 9, 9});
    put(out, {2, 2, 1, 4, 1, 0, 0, 1, 0});
    put(out, {2, 3, 1, 0, 8, 0, 0, 1, 0});
  });
}

// Of endpoint_fuzz: two clients are connected, and send from the addresses of each other and of
// nobody. {2, 8, 0, 0}: the client of address 0, from address 2.
std::vector<std::vector<int>> moves_of_clients() {
  return {{5, 0, 3},    {5, 0, 16}, {2, 8, 0, 0}, {5, 1, 16}, {5, 1, 16}, {2, 13, 0, 0},
          {2, 1, 0, 0}, {5, 0, 16}, {2, 4, 0, 0}, {5, 0, 1},  {5, 1, 3}};
}

// In the order of endpoint_fuzz's steps.
void endpoint_seeds(const Recording& recording) {
  using Steps = std::vector<std::vector<int>>;
  const auto seed = [](const std::string& name, int choices, const Steps& steps) {
    Buffer bytes;
    wire::Writer out(bytes);
    out.u8(static_cast<std::uint8_t>(choices));
    for (const auto& step : steps) {
      for (const int value : step) out.u8(static_cast<std::uint8_t>(value));
    }
    write("endpoint_fuzz", name, bytes);
  };
  // A client at that address gets as far as `turns` to and fro lead it.
  const auto handshake = [](int address, int bits, int turns) {
    Steps steps{{1, address, bits}};
    for (int turn = 0; turn < turns; ++turn) {
      for (int i = 0; i < 6; ++i) steps.push_back({2, address, 0, 0});
      steps.push_back({3, address});
    }
    return steps;
  };
  const auto joined = [](std::initializer_list<Steps> parts) {
    Steps all;
    for (const Steps& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  for (const int bits : {0, 1, 2, 3}) {
    const std::string version = std::to_string(bits);
    seed("connected_" + version, 0, joined({handshake(0, bits, 4), {{5, 0, 3}, {5, 0, 1}}}));
    seed("anew_" + version, 0, joined({handshake(0, bits, 4), handshake(0, bits, 4)}));
    // Choice 64: with connection IDs; 128: without checks of new addresses.
    for (const auto& [name, choices] : {std::pair("moves_", 64 + 128), std::pair("checks_", 64)}) {
      seed(name + version, choices,
           joined({handshake(0, bits, 4), handshake(1, bits, 4), moves_of_clients()}));
    }
    seed("anew_halfway_" + version, 0, joined({handshake(0, bits, 2), handshake(0, bits, 4)}));
    seed("new_association_stalls_" + version, 0,
         joined({handshake(0, bits, 4), handshake(0, bits, 2), {{4, 100}}}));
    seed("displaced_" + version, 0,
         joined({handshake(0, bits, 2),
                 handshake(1, bits, 2),
                 handshake(2, bits, 2),
                 {{4, 3}},
                 handshake(3, bits, 4)}));
    seed("limits_" + version, 6,
         joined({handshake(0, bits, 1),
                 handshake(2, bits, 2),
                 handshake(1, bits, 4),
                 handshake(3, bits, 2),
                 {{4, 3}},
                 handshake(0, bits, 4)}));
  }
  seed("called", 0, joined({{{5, 0, 0}, {4, 1}}, handshake(0, 0, 2), {{4, 200}}}));
  Steps forged = handshake(0, 0, 4);
  for (const Buffer& datagram : recording.from_client) {
    forged.push_back(
        {0, 0, static_cast<int>(datagram.size() >> 8), static_cast<int>(datagram.size() & 0xff)});
    for (const std::byte byte : datagram) forged.back().push_back(std::to_integer<int>(byte));
  }
  seed("forged", 0, forged);
}

}  // namespace

void write(const std::string& target, const std::string& name, Bytes seed) {
  std::filesystem::create_directories(root / target);
  std::ofstream file(root / target / name, std::ios::binary);
  file.write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
  if (!file) throw std::runtime_error("cannot write " + (root / target / name).string());
}

}  // namespace sluice::fuzz

int main(int argc, char** argv) {
  using namespace sluice::fuzz;
  if (argc != 2) {
    std::cerr << "usage: sluice_fuzz_seeds tests/fuzz/seeds\n";
    return EXIT_FAILURE;
  }
  root = std::filesystem::canonical(argv[1]);
  const Recording recording = record_handshake();
  message_seeds(recording);
  encode_seeds(recording);
  client_hello_seeds(recording);
  certificate_seeds();
  record_seeds(recording);
  reassembler_seeds();
  listener_seeds(recording);
  endpoint_seeds(recording);
  session_state_seeds();
  waking_seeds();
  media_state_seeds();
  lite_state_seeds();
  stun_seeds();
  connection_seeds("connection_server_fuzz", recording.from_client);
  connection_seeds("connection_client_fuzz", recording.from_server);
  for (const char* target : {"connection_server_fuzz", "connection_client_fuzz"}) {
    rotation_seeds(target);
  }
  return EXIT_SUCCESS;
}
