#include "fuzz/connection_harness.h"

#include <openssl/err.h>

#include <array>
#include <map>
#include <memory>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "message/handshake_fragment.h"
#include "support/bytes.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"
#include "support/record_access.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;

constexpr PathId kPath{1};
constexpr std::size_t kLargestId = 7;

// One side's Environment, whose randomness starts over with each input.
struct Chance {
  explicit Chance(std::uint64_t seed)
      : seed_(seed), random(seed), environment(must(Environment::make({.random = &random}))) {}
  void restart() { random.restart(seed_); }

 private:
  std::uint64_t seed_;

 public:
  test::SeededRandom random;
  Environment environment;
};

Chance& own_chance() {
  static Chance chance(1);
  return chance;
}
Chance& peers_chance() {
  static Chance chance(2);
  return chance;
}

const Identity& identity() {
  static const Identity kIdentity = must(Identity::from_pem(test::kCertificate, test::kPrivateKey));
  return kIdentity;
}

// Such two resume a session of DTLS 1.2.
bool resumes(std::uint8_t choices) { return (choices & 128) != 0; }

const std::shared_ptr<TicketKeys>& ticket_keys() {
  static const auto kKeys = std::make_shared<TicketKeys>();
  return kKeys;
}

ConfigPtr make_config(std::uint8_t choices) {
  static const auto kSuites = ConfigOptions::default_cipher_suites();
  constexpr std::array kGroups{NamedGroup::secp256r1, NamedGroup::x25519};
  ConfigOptions options;
  options.identities = {identity()};
  // One of 1.3 and its counterpart of 1.2 with ECDSA.
  options.cipher_suites = {kSuites[choices % 3U], kSuites[3U + choices % 3U]};
  options.groups = {kGroups[(choices >> 2) % 2U], NamedGroup::secp256r1};
  if ((choices & 8) != 0) options.mtu = 256;
  if ((choices & 16) != 0) options.peer_authentication = PeerAuthentication::none;
  // A session of DTLS 1.2 without it cannot be resumed.
  if ((choices & 32) != 0 && !resumes(choices))
    options.extended_master_secret = ExtendedMasterSecret::disable;
  if ((choices & 64) != 0) {
    options.srtp_profiles.clear();
    options.connection_id_size = choices % (kLargestId + 1);
  }
  if (resumes(choices)) {
    options.max_version = ProtocolVersion::dtls12;
    options.resumption = Resumption::tickets;
    options.ticket_keys = ticket_keys();
  }
  options.max_handshake_message = 4096;
  options.max_reassembly = 8192;
  options.max_unaccepted_data = 2048;
  return must(Config::make(std::move(options)));
}

Connection make(Role role, const ConfigPtr& config, Chance& chance,
                const std::optional<ResumableSession>& session = {}) {
  chance.restart();
  return must(role == Role::client
                  ? Connection::client(config, chance.environment, kPath, Instant{}, session)
                  : Connection::server(config, chance.environment, kPath, Instant{}));
}

// What these choices lead to: one handshake of each that resumes.
std::optional<ResumableSession> session_of(const ConfigPtr& config, std::uint8_t choices) {
  static std::map<std::uint8_t, ResumableSession> sessions;
  if (!resumes(choices)) return std::nullopt;
  if (const auto found = sessions.find(choices); found != sessions.end()) return found->second;
  test::Peer client(make(Role::client, config, own_chance()));
  test::Peer server(make(Role::server, config, peers_chance()));
  test::exchange(client, server);
  // Without an extended master secret there is none.
  if (client.sessions.empty()) return std::nullopt;
  return sessions.emplace(choices, client.sessions.front()).first->second;
}

}  // namespace

Harness::Harness(Role role, State state, std::uint8_t choices)
    : config_(make_config(choices)),
      connection_(make(role, config_, own_chance(), session_of(config_, choices))),
      peer_(make(role == Role::client ? Role::server : Role::client, config_, peers_chance(),
                 session_of(config_, choices))),
      mtu_(config_->options().mtu) {
  const auto fingerprint = must(
      Fingerprint::of(identity().certificate(), HashAlgorithm::sha256, peers_chance().environment));
  // A server that requests no certificate refuses fingerprints.
  const auto authentication = config_->options().peer_authentication;
  if (role == Role::server || authentication != PeerAuthentication::none) {
    SLUICE_CHECK(peer_.set_peer_fingerprints(std::span(&fingerprint, 1), now_));
  }
  accepts_ = state == State::connected;
  settle(connection_.handle_timeout(now_));
  if (state >= State::midst) deliver_all();
  if (state >= State::unaccepted) {
    for (int i = 0; i < 3; ++i) deliver_all();
  }
  if (state == State::connected) SLUICE_CHECK(connection_.connected());
}

void Harness::deliver_all() {
  for (auto waiting = std::exchange(from_peer_, {}); !waiting.empty(); waiting.pop_front()) {
    receive(std::move(waiting.front()), true);
  }
}

void Harness::run(wire::Reader& input) {
  while (input.more()) step(static_cast<Step>(input.u8() % kSteps), input);
}

void Harness::step(Step step, wire::Reader& input) {
  switch (step) {
    case Step::datagram: {
      const std::size_t size = input.u16();
      return receive(take(input, size), false);
    }
    case Step::next_from_peer:
      return next_from_peer(input);
    case Step::sealed_record: {
      const auto type = input.code<wire::ContentType>();
      const std::size_t size = input.u8();
      return sealed_record(type, take(input, size));
    }
    case Step::handshake:
      return handshake(input);
    case Step::time:
      now_ += std::chrono::milliseconds{input.u16()};
      return settle(connection_.handle_timeout(now_));
    case Step::answer: {
      const QuestionId question{input.u8() % 3U};
      const Answer answer = input.u8() % 2 == 0 ? Answer(AcceptPeer{}) : Answer(RejectPeer{});
      const auto outcome = connection_.answer(question, answer, now_);
      // An answer to no question is the caller's mistake and changes nothing.
      if (!outcome && !outcome.error().is_fatal) return;
      return settle(outcome);
    }
    case Step::fingerprints: {
      Fingerprint announced = must(Fingerprint::of(identity().certificate(), HashAlgorithm::sha256,
                                                   own_chance().environment));
      announced.value[0] ^= static_cast<std::byte>(input.u8() & 1);
      return settle(connection_.set_peer_fingerprints(std::span(&announced, 1), now_));
    }
    case Step::path:
      mtu_ = std::clamp<std::size_t>(input.u16(), 256, kMaxDatagram);
      connection_.set_path_mtu(mtu_);
      return connection_.set_path_rtt(std::chrono::milliseconds{input.u16()});
    case Step::data: {
      const Buffer data(input.u8());
      Buffer out(data.size() + kSealOverhead);
      SLUICE_CHECK(connection_.seal(data, out).has_value() == connection_.connected());
      return;
    }
    case Step::close:
      return settle(connection_.close(now_));
    case Step::connection_ids: {
      const unsigned what = input.u8();
      return connection_ids(what, input.u8());
    }
  }
}

void Harness::next_from_peer(wire::Reader& input) {
  const std::size_t at = input.u16();
  const auto mask = static_cast<std::byte>(input.u8());
  if (from_peer_.empty()) return;
  Buffer datagram = std::move(from_peer_.front());
  from_peer_.pop_front();
  datagram[at % datagram.size()] ^= mask;
  receive(std::move(datagram), true);
}

void Harness::sealed_record(wire::ContentType type, Bytes contents) {
  record::RecordLayer& records = test::records_of(peer_);
  const wire::Epoch epoch = records.write_epoch();
  Buffer out(contents.size() + records.size_of(epoch).overhead());
  const auto size = records.seal(epoch, type, contents, out);
  if (!size) return;
  out.resize(*size);
  receive(std::move(out), true);
}

void Harness::handshake(wire::Reader& input) {
  message::HandshakeHeader header;
  header.type = input.code<wire::HandshakeType>();
  header.message_seq = wire::MessageSeq{input.u8()};
  header.fragment_offset = input.u8();
  const std::uint32_t claimed = input.u16();
  const std::size_t size = input.u8();
  const Buffer body = take(input, size);
  header.fragment_length = static_cast<std::uint32_t>(body.size());
  header.length = std::max(claimed, header.fragment_offset + header.fragment_length);
  Buffer contents(message::kHandshakeHeaderSize);
  header.encode(contents);
  contents.insert(contents.end(), body.begin(), body.end());
  sealed_record(wire::ContentType::handshake, contents);
}

void Harness::connection_ids(unsigned what, std::size_t count) {
  const bool is_ours = (what & 1) != 0;
  Connection& side = is_ours ? connection_ : peer_;
  if (what / 2 % 3 == 2) {
    // Says nothing to the other side.
    const std::size_t spares = side.spare_connection_ids();
    const bool is_used = side.change_connection_id().has_value();
    SLUICE_CHECK(side.spare_connection_ids() == spares - (is_used ? 1 : 0));
    return check_promises();
  }
  const auto outcome =
      what / 2 % 3 == 0 ? side.request_connection_ids(count, now_) : side.renew_connection_id(now_);
  if (!is_ours) return take_datagrams();
  // Where there are none, it is the caller's mistake and changes nothing.
  if (!outcome && !outcome.error().is_fatal) return;
  settle(outcome);
}

void Harness::receive(Buffer datagram, bool genuine) {
  const bool was_connected = connection_.connected();
  const bool had_failed = error_.has_value();
  const unsigned data = data_;
  const unsigned events = events_;
  settle(connection_.handle_datagram(datagram, kPath, now_));
  // Who has no keys can neither end an open connection nor say anything in it.
  if (was_connected && !genuine) {
    SLUICE_CHECK(connection_.connected() && !error_);
    SLUICE_CHECK(data_ == data && events_ == events);
  }
  if (had_failed) SLUICE_CHECK(data_ == data && events_ == events);
  if (question_ && accepts_) {
    settle(connection_.answer(*std::exchange(question_, std::nullopt), AcceptPeer{}, now_));
  }
}

void Harness::settle(const Result<Pending>& outcome) {
  const unsigned data = data_;
  const unsigned events = events_;
  const std::uint64_t sent = sent_;
  take_datagrams();
  take_data();
  take_events();
  if (outcome) {
    SLUICE_CHECK(outcome->data == (data_ != data));
    SLUICE_CHECK(outcome->event == (events_ != events));
    SLUICE_CHECK(outcome->transmit == (sent_ != sent));
  } else {
    SLUICE_CHECK(!error_ && outcome.error().is_fatal);  // told once
    SLUICE_CHECK(data_ == data && events_ == events);
    error_ = outcome.error();
  }
  check_promises();
}

void Harness::take_data() {
  while (const auto bytes = connection_.poll_data()) {
    SLUICE_CHECK(connection_.connected() || connected_ > 0);
    SLUICE_CHECK(bytes->size() <= kMaxApplicationData);
    ++data_;
  }
}

void Harness::take_events() {
  while (const auto event = connection_.poll_event()) {
    ++events_;
    if (const auto* asked = std::get_if<PeerCertificateReceived>(&*event)) {
      SLUICE_CHECK(!asked->chain.empty());
      question_ = asked->question.id();
    } else if (std::holds_alternative<Connected>(*event)) {
      ++connected_;
    }
  }
  SLUICE_CHECK(connected_ <= 1 && events_ <= 4);
}

void Harness::take_datagrams() {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, kMaxDatagram> out;
  while (const auto transmit = connection_.poll_transmit(out)) {
    SLUICE_CHECK(transmit->size > 0 && transmit->size <= mtu_ + kLargestId &&
                 transmit->path == kPath);
    ++sent_;
    Buffer datagram = test::copy_of(Bytes(out).first(transmit->size));
    static_cast<void>(peer_.handle_datagram(datagram, kPath, now_));
  }
  while (peer_.poll_event()) {
  }
  while (const auto reply = peer_.poll_transmit(out)) {
    from_peer_.push_back(test::copy_of(Bytes(out).first(reply->size)));
  }
}

void Harness::check_promises() {
  SLUICE_CHECK(ERR_peek_error() == 0);
  std::array<std::byte, 16> exported{};
  const bool exports =
      connection_.export_keying_material(exported, "fuzz", std::nullopt).has_value();
  SLUICE_CHECK(exports == connection_.connected());
  SLUICE_CHECK((connection_.info() && !connection_.ended()) == connection_.connected());
  if (error_) SLUICE_CHECK(!connection_.connected() && !connection_.next_timeout());
  SLUICE_CHECK(from_peer_.size() < 4096);
  check_connection_ids();
}

// However many the peer asks for, and gives.
void Harness::check_connection_ids() {
  SLUICE_CHECK(connection_.spare_connection_ids() <= kMaxSpareConnectionIds);
  const auto own = connection_.own_connection_ids();
  SLUICE_CHECK(own.size() <= record::ConnectionIds::kMaxOwn);
  for (const ConnectionId& id : own) {
    SLUICE_CHECK(id.size() == config_->options().connection_id_size);
    SLUICE_CHECK(connection_.has_own_connection_id(id.bytes()));
  }
}

void run_connection(Role role, wire::Reader input) {
  const State state{static_cast<std::uint8_t>(input.u8() % kStates)};
  Harness harness(role, state, input.u8());
  harness.run(input);
}

}  // namespace sluice::fuzz
