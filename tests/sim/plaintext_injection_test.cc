// Somebody beside the path adds a plaintext record before each datagram of a handshake, to either
// side: malformed, misplaced or forged. Nobody authenticates plaintext, so the handshake completes
// all the same (RFC 6347 section 4.1.2.7, RFC 9147 section 4.5.2). What may end it is stated beside
// its kind.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <iostream>
#include <ostream>
#include <string>
#include <vector>

#include "sim/scenario.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "support/plaintext.h"
#include "support/record_access.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Bytes;
using dtls::Instant;
using dtls::Role;
using dtls::wire::ContentType;
using dtls::wire::HandshakeType;

constexpr std::uint64_t kSeed = 6347;
constexpr std::size_t kMtu = 1200;
constexpr HandshakeType kNobodys{99};

// ---- what is added

// What becomes of the record.
enum class Effect : std::uint8_t {
  discarded,  // it is counted, at the latest when the handshake goes on
  none,       // it may stand there, or the state decides whether it is counted
  // A whole message of bad content. As long as its peer sends in plaintext, it ends the handshake
  // (RFC 5246 section 7.2.2, RFC 8446 section 6.2), because a genuine one could not be told from
  // it. It need not, as the genuine message may come first.
  may_end,
};

struct Kind {
  std::string name;
  Buffer datagram;
  Effect effect = Effect::discarded;
};

Buffer record(ContentType type, const char* contents) {
  return plaintext_record(type, from_hex(contents));
}
Buffer with_header(const char* header) { return from_hex(header); }

void add_malformed(std::vector<Kind>& kinds) {
  for (const char* alert : {"", "02", "020000", "02280228", "0028", "0328"}) {
    kinds.push_back({std::string("alert ") + alert, record(ContentType::alert, alert)});
  }
  for (const char* ccs : {"", "00", "02", "0101"}) {
    kinds.push_back(
        {std::string("ChangeCipherSpec ") + ccs, record(ContentType::change_cipher_spec, ccs)});
  }
  for (const char* part : {"", "0b", "0200004000", "0b000014 0000 000000 0000",
                           "0b000014 0000 000000 000014 0102",  // its body is cut short
                           // past its message's length
                           "0b000064 0002 00005a 000014 0101010101010101010101010101010101010101",
                           "0e000000 0009 000000 000000 00"}) {  // a byte follows
    kinds.push_back({std::string("handshake ") + part, record(ContentType::handshake, part)});
  }
  for (const char* ack : {"00", "0005 616263", "0010 00"}) {
    kinds.push_back({std::string("ACK ") + ack, record(ContentType{26}, ack)});
  }
}

void add_misplaced(std::vector<Kind>& kinds) {
  kinds.push_back({"application data", record(ContentType::application_data, "68656c6c6f")});
  kinds.push_back({"empty application data", record(ContentType::application_data, "")});
  for (const unsigned type : {0U, 19U, 24U, 25U, 99U, 255U}) {
    kinds.push_back({"content type " + std::to_string(type),
                     plaintext_record(static_cast<ContentType>(type), counted(30))});
  }
  kinds.push_back({"TLS 1.0", with_header("16 0301 0000 000000000500 0005 68656c6c6f")});
  kinds.push_back({"record cut short", with_header("16 fefd 0000 000000000500 0010 01")});
  kinds.push_back({"header cut short", with_header("16 fefd 0000 0000")});
  kinds.push_back({"one byte", with_header("16")});
  kinds.push_back({"epoch 7", with_header("16 fefd 0007 000000000500 0004 00000000")});
  kinds.push_back(
      {"valid ChangeCipherSpec", record(ContentType::change_cipher_spec, "01"), Effect::none});
  kinds.push_back({"ACK of everything",
                   record(ContentType{26},
                          "0020 00000000000000000000000000000000"
                          "00000000000000000000000000000001"),
                   Effect::none});
  kinds.push_back({"empty ACK", record(ContentType{26}, "0000"), Effect::none});
}

void add_forged(std::vector<Kind>& kinds) {
  for (const char* alert : {"0228", "012a", "022a", "0100", "0200", "0246", "02ff"}) {
    // A warning of DTLS 1.2 (012a) is not counted.
    kinds.push_back({std::string("forged alert ") + alert, record(ContentType::alert, alert),
                     alert == std::string_view("012a") ? Effect::none : Effect::discarded});
  }
  kinds.push_back({"user_canceled", record(ContentType::alert, "015a"), Effect::none});
  for (unsigned seq = 0; seq < 8; ++seq) {
    const std::string name = " as message " + std::to_string(seq);
    const auto part = [&](HandshakeType type, std::uint32_t length) {
      return plaintext_record(ContentType::handshake,
                              fragment_of(type, seq, length, 0, counted(20)));
    };
    // Each contradicts the genuine message, before or after that has come.
    kinds.push_back({"part of another type" + name, part(kNobodys, 300), Effect::none});
    kinds.push_back(
        {"part of another length" + name, part(HandshakeType::certificate, 9000), Effect::none});
    kinds.push_back({"huge" + name, part(HandshakeType::certificate, 16'000'000)});
    kinds.push_back({"empty part" + name,
                     plaintext_record(ContentType::handshake,
                                      fragment_of(HandshakeType::certificate, seq, 300, 0, {})),
                     Effect::none});
    kinds.push_back(
        {"whole" + name,
         plaintext_record(ContentType::handshake, message_of(kNobodys, seq, counted(20))),
         Effect::may_end});
  }
}

const std::vector<Kind>& all_kinds() {
  static const std::vector<Kind> kKinds = [] {
    std::vector<Kind> kinds;
    add_malformed(kinds);
    add_misplaced(kinds);
    add_forged(kinds);
    return kinds;
  }();
  return kKinds;
}

// ---- the handshake

// A handshake, datagram by datagram, in virtual time.
class Trial {
 public:
  explicit Trial(const Scenario& scenario, std::size_t mtu) : both_(meet(scenario, mtu, kSeed)) {}

  // Delivers the next datagram, or lets the next timer fire. False when the handshake has ended.
  bool step() {
    if (in_flight_.empty()) collect();
    if (in_flight_.empty()) return expire();
    auto [from_client, datagram] = std::move(in_flight_.front());
    in_flight_.pop_front();
    peer(from_client ? Role::server : Role::client).receive(std::move(datagram), now_);
    return true;
  }
  void finish() {
    while (step()) continue;
  }

  void inject(Role target, Buffer datagram) { peer(target).receive(std::move(datagram), now_); }
  // The peer's first datagram once more, as its timer would send it.
  void repeat_first(Role target) {
    const auto& first = first_[target == Role::client ? 1 : 0];
    if (!first.empty()) inject(target, first);
  }

  Peer& peer(Role role) { return role == Role::client ? both_.client : both_.server; }
  [[nodiscard]] bool has_ended() const { return both_.client.error || both_.server.error; }

  // Both are connected and agree on a secret; data passes.
  testing::AssertionResult succeeds() {
    Buffer secrets[2] = {Buffer(32), Buffer(32)};
    for (const Role role : {Role::client, Role::server}) {
      Peer& one = peer(role);
      if (one.error) return testing::AssertionFailure() << to_string(*one.error);
      if (!one.connected) return testing::AssertionFailure() << "not connected";
      must(one.connection().export_keying_material(secrets[role == Role::client ? 0 : 1],
                                                   "EXPORTER-test", std::nullopt));
    }
    if (secrets[0] != secrets[1]) return testing::AssertionFailure() << "the exporters differ";
    for (const Role role : {Role::client, Role::server}) {
      Peer& to = peer(role == Role::client ? Role::server : Role::client);
      const std::size_t before = to.data.size();
      to.receive(peer(role).seal(bytes_of("data")), now_);
      if (to.data.size() != before + 1) return testing::AssertionFailure() << "no data passes";
    }
    return testing::AssertionSuccess();
  }

 private:
  static constexpr Instant kEnd{60s};

  void collect() {
    now_ += kRtt / 2;
    for (const bool from_client : {true, false}) {
      for (Buffer& datagram : peer(from_client ? Role::client : Role::server).take_datagrams()) {
        auto& first = first_[from_client ? 0 : 1];
        if (first.empty()) first = datagram;
        in_flight_.emplace_back(from_client, std::move(datagram));
      }
    }
  }
  bool expire() {
    if (has_ended() || (both_.client.connected && both_.server.connected)) return false;
    const auto client = both_.client.connection().next_timeout().value_or(Instant::max());
    const auto server = both_.server.connection().next_timeout().value_or(Instant::max());
    const Instant next = std::min(client, server);
    if (next > kEnd) return false;
    now_ = std::max(now_, next);
    Peer& due = client <= server ? both_.client : both_.server;
    due.settle(due.connection().handle_timeout(now_), now_);
    return true;
  }

  Encounter both_;
  std::deque<std::pair<bool, Buffer>> in_flight_;
  Buffer first_[2];
  Instant now_{};
};

// The number of steps of the handshake that nobody disturbs.
std::size_t steps_of(const Scenario& scenario, std::size_t mtu) {
  Trial trial(scenario, mtu);
  std::size_t steps = 0;
  while (trial.step()) ++steps;
  EXPECT_TRUE(trial.succeeds());
  return steps;
}

std::vector<Scenario> scenarios() {
  using enum dtls::ProtocolVersion;
  std::vector<Scenario> chosen;
  for (const auto version : {dtls12, dtls13}) {
    const VersionRange only{version, version};
    const std::string name = version == dtls12 ? "Dtls12" : "Dtls13";
    std::uint64_t number = version == dtls12 ? 1000 : 2000;
    const auto add = [&](const char* suffix, Course course, bool client_certificate) {
      chosen.push_back({name + suffix, only, only, course, client_certificate, 1, number++});
    };
    add("", Course::plain, true);
    add("WithoutClientCertificate", Course::plain, false);
    add("Psk", Course::psk, false);
    add("Ticket", Course::resume, false);
    add("Store", Course::resume_from_store, false);
    if (version == dtls12) continue;
    add("HelloRetryRequest", Course::retry, true);
    add("TicketHelloRetryRequest", Course::resume_after_retry, false);
  }
  chosen.push_back({"ClientOfBothServerOf12", {}, {dtls12, dtls12}, Course::plain, true, 1, 3000});
  return chosen;
}

struct Parameters {
  Scenario scenario;
  std::size_t mtu;
};
void PrintTo(const Parameters& parameters, std::ostream* out) {
  *out << parameters.scenario.name << " with an MTU of " << parameters.mtu;
}

class PlaintextInjection : public testing::TestWithParam<Parameters> {
 protected:
  // Calls `use(trial, target)` before each datagram, and after the last, of a new handshake for
  // each side.
  template <class Use>
  void for_each_place(Use&& use) {
    const auto& [scenario, mtu] = GetParam();
    const std::size_t steps = steps_of(scenario, mtu);
    for (std::size_t place = 0; place <= steps && !HasFailure(); ++place) {
      for (const Role target : {Role::client, Role::server}) {
        SCOPED_TRACE("before step " + std::to_string(place) + " of " + std::to_string(steps) +
                     ", to the " + std::string(to_string(target)));
        Trial trial(scenario, mtu);
        for (std::size_t i = 0; i < place; ++i) trial.step();
        use(trial, target);
        ++combinations_;
      }
    }
  }

  void inject(Trial& trial, Role target, const Kind& kind) {
    Peer& peer = trial.peer(target);
    const bool speaks12 = GetParam().scenario.version() == dtls::ProtocolVersion::dtls12;
    const bool is_plaintext = speaks12 || !records_of(peer.connection()).has_read_key();
    const auto before = peer.connection().statistics().total_discarded();
    trial.inject(target, kind.datagram);
    trial.finish();
    if (kind.effect == Effect::may_end && is_plaintext && trial.has_ended()) {
      ++ended_;
      return;
    }
    EXPECT_TRUE(trial.succeeds());
    if (kind.effect == Effect::discarded) {
      EXPECT_GT(peer.connection().statistics().total_discarded(), before) << "it is not counted";
    }
  }

  std::size_t combinations_ = 0;
  std::size_t ended_ = 0;
};

TEST_P(PlaintextInjection, NothingButAWholeMessageEndsTheHandshake) {
  for (const Kind& kind : all_kinds()) {
    if (HasFailure()) break;
    SCOPED_TRACE(kind.name);
    for_each_place([&](Trial& trial, Role target) { inject(trial, target, kind); });
  }
  std::cout << testing::PrintToString(GetParam()) << ": " << combinations_ << " combinations of "
            << all_kinds().size() << " kinds and the places of a datagram; " << ended_
            << " ended by a whole message of bad content\n";
}

// What a retransmission timer sends is no forgery, and still does what it did.
TEST_P(PlaintextInjection, ARepetitionOfTheFirstDatagramDoesNoHarm) {
  for_each_place([](Trial& trial, Role target) {
    trial.repeat_first(target);
    trial.finish();
    EXPECT_TRUE(trial.succeeds());
  });
}

std::vector<Parameters> all_parameters() {
  std::vector<Parameters> all;
  for (const Scenario& scenario : scenarios()) {
    all.push_back({scenario, kMtu});
    // In small datagrams each message has several fragments.
    const bool is_plain = scenario.course == Course::plain && scenario.client_certificate;
    if (is_plain && !kSanitized) all.push_back({scenario, dtls::kMinimumMtu});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Handshakes, PlaintextInjection, testing::ValuesIn(all_parameters()),
                         [](const auto& tried) {
                           return tried.param.scenario.name + "Mtu" +
                                  std::to_string(tried.param.mtu);
                         });

}  // namespace
}  // namespace sluice::test
