// An IceLiteServer, one genuine DTLS client, and everything that anybody may send from a few
// addresses: its limits hold, no response is larger than its request except with DTLS in STUN, a
// session sends only to a tuple of its own, one that has lost its path expires, each ends once and
// leaves nothing.
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/message.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"
#include "support/ice_checks.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using namespace std::chrono_literals;
using ice_lite::SessionHandle;
using test::must;
using transport::MediaTransport;

constexpr unsigned kAddresses = 5;
constexpr std::size_t kSessions = 3;
constexpr std::size_t kTuplesOfSession = 2;
constexpr std::size_t kTuples = 4;
constexpr std::size_t kMaxWaiting = 32;

// Randomness starts over with each input.
Environment& fresh_environment() {
  static test::SeededRandom random{1};
  static Environment environment = must(Environment::make({.random = &random}));
  random.restart(1);
  return environment;
}

const Identity& identity() {
  static const Identity kIdentity = must(Identity::from_pem(test::kCertificate, test::kPrivateKey));
  return kIdentity;
}
const ConfigPtr& config() {
  static const ConfigPtr kConfig = [] {
    ConfigOptions options;
    options.identities = {identity()};
    options.groups = {NamedGroup::secp256r1};
    return must(Config::make(std::move(options)));
  }();
  return kConfig;
}
const Fingerprint& fingerprint() {
  static const Fingerprint kFingerprint =
      must(Fingerprint::of(identity().certificate(), HashAlgorithm::sha256, fresh_environment()));
  return kFingerprint;
}

UdpPath path_of(unsigned number) {
  // Two hosts.
  return {.peer = {Ipv4Address{10, 0, 0, static_cast<std::uint8_t>(number % 2)},
                   static_cast<std::uint16_t>(number + 1)}};
}

ice_lite::ServerOptions make_options(std::uint8_t choices) {
  ice_lite::ServerOptions options;
  options.max_sessions = kSessions;
  options.max_tuples_per_session = kTuplesOfSession;
  options.max_tuples = kTuples;
  options.max_tuples_per_host = (choices & 1) != 0 ? 2 : 0;
  options.max_early_tuples = 2;
  options.max_early_tuples_per_host = (choices & 2) != 0 ? 1 : 2;
  options.tuple_hold = (choices & 4) != 0 ? Duration::zero() : 12s;
  options.max_error_responses = (choices & 8) != 0 ? 0 : 5;
  options.max_timers_per_call = 1;
  return options;
}

enum class Step : std::uint8_t {
  datagram,  // address, length, bytes: from anybody
  check,     // address, session, bits: a check that is valid or nearly so
  client,    // address: the client's next datagram comes from there
  answers,   // what the server has sent reaches the client
  time,      // how long
  session,   // which, what: add, close, remove, restart, remote ufrag
  send,      // the client and the server send data and media
  path,      // address: the path ends
  move,      // session: it is exported and restored
};
constexpr unsigned kSteps = 9;

class Run {
 public:
  explicit Run(std::uint8_t choices)
      : batch_limit_((choices & 32) != 0 ? kMaxBatch : 1),
        has_dtls_in_stun_((choices & 64) != 0),
        environment_(fresh_environment()),
        server_(must(ice_lite::IceLiteServer::make(make_options(choices), environment_))),
        client_(must(MediaTransport::make({.dtls = config()}, environment_))) {
    add();
    static_cast<void>(client_.start(Role::client, now_));
    static_cast<void>(client_.set_peer_fingerprints({&fingerprint(), 1}, now_));
    static_cast<void>(client_.path_selected(PathId{0}, 10ms, now_));
    take_from_client();
    // Some inputs begin with a connected call.
    if ((choices & 16) == 0) return;
    check(0, 0, kNominates);
    for (int flights = 0; flights < 4; ++flights) {
      for (auto left = from_client_.size(); left > 0; --left) next_of_client(0);
      answers();
    }
  }

  void step(wire::Reader& input) {
    const auto step = static_cast<Step>(input.u8() % kSteps);
    const unsigned value = input.u8();
    const unsigned number = value % kAddresses;
    const bool has_datagram = step == Step::datagram || step == Step::check || step == Step::client;
    if (!has_datagram) flush();
    switch (step) {
      case Step::datagram:
        return arrive(take(input, input.u16()), number);
      case Step::check:
        return check(number, input.u8(), input.u8(), has_dtls_in_stun_ && value >= 128);
      case Step::client:
        return next_of_client(number);
      case Step::answers:
        return answers();
      case Step::time:
        return pass(value * value * 1ms);
      case Step::session:
        return change(value, input.u8());
      case Step::send:
        return send(value);
      case Step::path:
        server_.path_closed(path_of(number), now_);
        return drain(SIZE_MAX);
      case Step::move:
        return move(value);
    }
  }

  void finish() {
    flush();
    for (const auto& each : sessions_) server_.remove(each.handle);
    drain(SIZE_MAX);
    SLUICE_CHECK(server_.size() == 0);
    SLUICE_CHECK(server_.tuples() == 0);
    SLUICE_CHECK(!server_.next_timeout());
  }

 private:
  static constexpr std::uint8_t kNominates = 1;
  static constexpr std::size_t kMaxBatch = 6;
  static constexpr std::size_t kMtu = 1200;

  struct Known {
    SessionHandle handle;
    ice_lite::Credentials former;  // before the last restart
    bool has_path = false;         // as its events have told
  };

  void add() {
    ice_lite::SessionOptions options;
    options.transport.dtls = config();
    options.peer_fingerprints = {fingerprint()};
    options.dtls_in_stun = has_dtls_in_stun_;
    const bool has_room = sessions_.size() < kSessions;
    const auto made = server_.add_session(options, now_);
    SLUICE_CHECK(made.has_value() == has_room);
    if (made) sessions_.push_back({*made, *server_.local_credentials(*made)});
  }

  void check(unsigned number, unsigned which, unsigned bits, bool carries = false) {
    if (sessions_.empty()) return;
    const Known& known = sessions_[which % sessions_.size()];
    const auto credentials = (bits & 64) != 0
                                 ? known.former
                                 : server_.local_credentials(known.handle).value_or(known.former);
    test::CheckFields fields{.username = credentials.ufrag + ((bits & 32) != 0 ? ":two" : ":one"),
                             .pwd = credentials.pwd};
    fields.use_candidate = (bits & kNominates) != 0;
    fields.priority = which / 16 * 1000;
    if ((bits & 2) != 0) fields.pwd += 'x';
    if ((bits & 4) != 0) fields.role = test::CheckFields::Role::controlled;
    if ((bits & 8) != 0) fields.nomination = which / 16;
    if ((bits & 16) != 0) fields.transaction.emplace().back() = static_cast<std::byte>(which % 4);
    if ((bits & 128) != 0) fields.other_attribute = static_cast<std::uint16_t>(0x7000 + which);
    if (carries) {
      fields.dtls_in_stun.emplace();
      if (!from_client_.empty()) fields.dtls_in_stun = from_client_.front();
    }
    arrive(make_check(fields), number);
  }

  void arrive(Buffer datagram, unsigned number) {
    batch_.push_back(std::move(datagram));
    numbers_.push_back(number);
    if (batch_.size() == batch_limit_) flush();
  }

  // All that has arrived.
  void flush() {
    std::vector<ReceivedDatagram> received;
    std::size_t largest = 0;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      received.push_back({batch_[i], path_of(numbers_[i])});
      largest = std::max(largest, batch_[i].size());
    }
    for (std::span<const ReceivedDatagram> rest = received; !rest.empty();) {
      const auto taken = server_.handle_datagrams(rest, now_).taken;
      SLUICE_CHECK(taken > 0 && taken <= rest.size());
      rest = rest.subspan(taken);
      drain(largest);
    }
    batch_.clear();
    numbers_.clear();
  }

  void next_of_client(unsigned number) {
    if (from_client_.empty()) return;
    Buffer datagram = std::move(from_client_.front());
    from_client_.pop_front();
    arrive(std::move(datagram), number);
  }

  void answers() {
    flush();
    for (auto& datagram : std::exchange(to_client_, {})) {
      static_cast<void>(client_.handle_datagram(datagram, PathId{0}, now_));
      take_from_client();
    }
  }

  void take_from_client() {
    std::array<std::byte, kMaxDatagram> out;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (const auto sent = client_.poll_transmit(out)) {
      keep(from_client_, Bytes(out).first(sent->size));
    }
    while (client_.poll_data()) continue;
    while (client_.poll_media()) continue;
    while (client_.poll_event()) continue;
  }
  static void keep(std::deque<Buffer>& queue, Bytes bytes) {
    if (queue.size() == kMaxWaiting) queue.pop_front();
    queue.emplace_back(bytes.begin(), bytes.end());
  }

  void pass(Duration time) {
    now_ += time;
    for (int turns = 0; server_.next_timeout() && *server_.next_timeout() <= now_; ++turns) {
      SLUICE_CHECK(turns < 100);
      server_.handle_timeout(now_);
      drain(SIZE_MAX);
    }
    if (const auto due = client_.next_timeout(); due && *due <= now_) {
      static_cast<void>(client_.handle_timeout(now_));
      take_from_client();
    }
  }

  void move(unsigned which) {
    if (sessions_.empty()) return;
    Known& known = sessions_[which % sessions_.size()];
    const auto state = server_.export_session(known.handle, now_);
    if (!state) return;
    const auto restored = server_.restore(must(ice_lite::SessionState::parse(state->bytes())),
                                          {.transport = {.dtls = config()}}, now_);
    SLUICE_CHECK(restored.has_value());
    known.handle = *restored;
    drain(SIZE_MAX);
  }

  void change(unsigned which, unsigned what) {
    if (sessions_.empty() || what % 8 == 0) return add();
    Known& known = sessions_[which % sessions_.size()];
    switch (what % 8) {
      case 1:
        static_cast<void>(server_.close(known.handle, now_));
        break;
      case 2:
        server_.remove(known.handle);
        forget(known.handle);
        break;
      case 3:
      case 4: {
        const auto former = server_.local_credentials(known.handle);
        ice_lite::IceRestart restart;
        if (what % 8 == 4) {
          restart.dtls = {.role = Role::server, .peer_fingerprints = {fingerprint()}};
        }
        const auto fresh = server_.restart_ice(known.handle, restart, now_);
        SLUICE_CHECK(fresh.has_value() == former.has_value());
        if (former) known.former = *former;
        break;
      }
      case 5:
        static_cast<void>(server_.set_remote_ufrag(known.handle, "four", now_));
        break;
      case 6:
        static_cast<void>(server_.set_peer_fingerprints(known.handle, {&fingerprint(), 1}, now_));
        break;
      default:
        server_.close_all(now_);
    }
    drain(SIZE_MAX);
  }

  void send(unsigned which) {
    const Buffer plain(20, std::byte{0x80});
    std::array<std::byte, 300> out{};
    if (const auto sealed = client_.seal_data(plain, out)) {
      keep(from_client_, Bytes(out).first(*sealed));
    }
    std::ranges::copy(plain, out.begin());
    out[3] = static_cast<std::byte>(++sequence_);
    if (const auto size = client_.protect_rtp(out, plain.size())) {
      keep(from_client_, Bytes(out).first(*size));
    }
    if (sessions_.empty()) return;
    const SessionHandle handle = sessions_[which % sessions_.size()].handle;
    std::ranges::copy(plain, out.begin());
    out[3] = static_cast<std::byte>(sequence_);
    if (const auto sent = server_.protect_rtp(handle, out, plain.size())) {
      SLUICE_CHECK(server_.find(sent->path) == handle);
      keep(to_client_, Bytes(out).first(sent->size));
    }
  }

  void drain(std::size_t most_of_response) {
    std::array<std::byte, kMaxDatagram> out;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    for (int datagrams = 0; const auto sent = server_.poll_transmit(out); ++datagrams) {
      SLUICE_CHECK(datagrams < 200);
      SLUICE_CHECK(sent->size > 0 && sent->size <= out.size());
      if (transport::classify(Bytes(out).first(sent->size)) == transport::PacketClass::stun) {
        SLUICE_CHECK(sent->size <= (has_dtls_in_stun_ ? kMtu : most_of_response));
        const auto response = stun::decode(Bytes(out).first(sent->size));
        if (response && response->dtls_in_stun) keep(to_client_, *response->dtls_in_stun);
      } else {
        keep(to_client_, Bytes(out).first(sent->size));
      }
    }
    while (const auto data = server_.poll_data()) {
      SLUICE_CHECK(is_known(data->session));
      read(data->bytes);
    }
    while (const auto media = server_.poll_media()) {
      SLUICE_CHECK(is_known(media->session));
      read(media->packet);
    }
    while (const auto event = server_.poll_event()) {
      SLUICE_CHECK(is_known(event->session));
      const auto known = std::ranges::find(sessions_, event->session, &Known::handle);
      if (std::holds_alternative<ice_lite::PathSelected>(event->what)) known->has_path = true;
      if (std::holds_alternative<ice_lite::Expired>(event->what)) known->has_path = false;
      if (std::holds_alternative<ice_lite::Ended>(event->what)) forget(event->session);
    }
    SLUICE_CHECK(server_.tuples() <= kTuples);
    SLUICE_CHECK(server_.size() <= kSessions);
    for (const auto& each : sessions_) {
      const auto path = server_.path_of(each.handle);
      if (path) SLUICE_CHECK(server_.find(*path) == each.handle);
      // It will expire, or another tuple of it.
      if (each.has_path && server_.find(each.handle) != nullptr) {
        SLUICE_CHECK(server_.next_timeout());
      }
    }
    const auto next = server_.next_timeout();
    SLUICE_CHECK(!next || *next >= now_);
  }
  // AddressSanitizer looks at each byte.
  void read(Bytes bytes) {
    for (const std::byte byte : bytes) sum_ = sum_ + std::to_integer<unsigned>(byte);
  }
  [[nodiscard]] bool is_known(SessionHandle handle) const {
    return std::ranges::find(sessions_, handle, &Known::handle) != sessions_.end();
  }
  void forget(SessionHandle handle) {
    std::erase_if(sessions_, [handle](const Known& each) { return each.handle == handle; });
  }

  const std::size_t batch_limit_;
  const bool has_dtls_in_stun_;
  std::vector<Buffer> batch_;  // what has arrived, and from which addresses
  std::vector<unsigned> numbers_;
  volatile unsigned sum_ = 0;
  Environment& environment_;
  ice_lite::IceLiteServer server_;
  MediaTransport client_;
  std::vector<Known> sessions_;
  std::deque<Buffer> from_client_;
  std::deque<Buffer> to_client_;
  Instant now_ = Instant(1h);
  std::uint8_t sequence_ = 0;
};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  dtls::wire::Reader input(fuzz::bytes_of(data, size));
  fuzz::Run run(input.u8());
  for (int steps = 0; !input.rest().empty() && steps < 300; ++steps) run.step(input);
  run.finish();
  return 0;
}
