// A Listener, a genuine client, and everything that anybody may send to it: it allocates nothing,
// says no more than it hears, and lets in only who had a cookie of its own.
#include <sluice/dtls/listener.h>

#include <array>
#include <deque>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "message/handshake_fragment.h"
#include "record/header12.h"
#include "support/allocations.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;

constexpr unsigned kAddresses = 4;

// Randomness starts over with each input.
struct Chance {
  test::SeededRandom random{1};
  Environment environment = must(Environment::make({.random = &random}));
};

Environment& fresh_environment() {
  static Chance chance;
  chance.random.restart(1);
  return chance.environment;
}

ConfigPtr make_config(std::uint8_t choices, bool is_client) {
  static const Identity kIdentity = must(Identity::from_pem(test::kCertificate, test::kPrivateKey));
  ConfigOptions options;
  options.identities = {kIdentity};
  options.groups = {NamedGroup::secp256r1, NamedGroup::secp384r1};
  if ((choices & 1) != 0 && !is_client) options.groups = {NamedGroup::secp384r1};
  if ((choices & 2) != 0) options.max_version = ProtocolVersion::dtls12;
  if ((choices & 4) != 0) options.min_version = ProtocolVersion::dtls13;
  if ((choices & 6) == 6) options.max_version = ProtocolVersion::dtls13;
  if ((choices & 8) != 0)
    options.cipher_suites = {CipherSuite::aes_256_gcm_sha384,
                             CipherSuite::ecdhe_ecdsa_with_aes_128_gcm_sha256};
  if (is_client) options.mtu = kMinimumMtu;
  return must(Config::make(std::move(options)));
}

enum class Step : std::uint8_t {
  datagram,    // address, length, bytes: from anybody
  next_hello,  // address, offset, mask: the client's next datagram, one byte changed unless 0
  fragment,    // address, seq, length, offset, size, bytes: of a hello, well formed
  to_client,   // hands the client what was answered last
  time,        // seconds
};
constexpr unsigned kSteps = 5;

class Run {
 public:
  explicit Run(std::uint8_t choices)
      : environment_(fresh_environment()),
        listener_(must(Listener::make(make_config(choices, false), environment_,
                                      {.max_client_hello = 1024, .unfinished_hellos = 2}))),
        client_(
            must(Connection::client(make_config(choices, true), environment_, PathId{1}, now_))) {
    collect_hellos();
  }

  void step(wire::Reader& input) {
    switch (static_cast<Step>(input.u8() % kSteps)) {
      case Step::datagram: {
        const unsigned address = input.u8();
        const std::size_t size = input.u16();
        return send(take(input, size), address);
      }
      case Step::next_hello:
        return next_hello(input);
      case Step::fragment:
        return fragment(input);
      case Step::to_client:
        if (reply_.empty() || client_ended_) return;
        client_ended_ = !client_.handle_datagram(reply_, PathId{1}, now_);
        reply_.clear();
        return collect_hellos();
      case Step::time:
        now_ += std::chrono::seconds(input.u8());
        return;
    }
  }

 private:
  void collect_hellos() {
    std::array<std::byte, kMaxDatagram> out{};
    while (const auto sent = client_.poll_transmit(out)) {
      hellos_.emplace_back(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sent->size));
    }
  }

  void next_hello(wire::Reader& input) {
    const unsigned address = input.u8();
    const std::size_t offset = input.u8();
    const auto mask = static_cast<std::byte>(input.u8());
    if (hellos_.empty()) return;
    Buffer datagram = std::move(hellos_.front());
    hellos_.pop_front();
    datagram[offset % datagram.size()] ^= mask;
    send(std::move(datagram), address);
  }

  void fragment(wire::Reader& input) {
    const unsigned address = input.u8();
    message::HandshakeHeader header{wire::HandshakeType::client_hello};
    header.message_seq = wire::MessageSeq{input.u8()};
    header.length = input.u16();
    header.fragment_offset = input.u16();
    const std::size_t size = input.u8();
    const Buffer body = take(input, size);
    header.fragment_length = static_cast<std::uint32_t>(body.size());
    Buffer datagram(record::kHeaderSize12 + message::kHandshakeHeaderSize);
    record::Header12{wire::ContentType::handshake, ProtocolVersion::dtls12, wire::kPlaintextEpoch,
                     wire::SequenceNumber{7}, message::kHandshakeHeaderSize + body.size()}
        .encode(datagram);
    header.encode(MutableBytes(datagram).subspan(record::kHeaderSize12));
    datagram.insert(datagram.end(), body.begin(), body.end());
    send(std::move(datagram), address);
  }

  void send(Buffer datagram, unsigned number) {
    const std::array address{static_cast<std::byte>(number % kAddresses)};
    Counts& counts = counts_[number % kAddresses];
    counts.received += datagram.size();
    const auto before = test::allocations().count;
    auto outcome = listener_.handle_datagram(datagram, address, now_);
    if (auto* admission = std::get_if<Admission>(&outcome)) {
      SLUICE_CHECK(counts.answered);
      return accept(std::move(*admission));
    }
    SLUICE_CHECK(test::allocations().count == before);
    if (const auto* reply = std::get_if<Listener::Reply>(&outcome)) {
      counts.answered = true;
      counts.sent += reply->datagram.size();
      SLUICE_CHECK(reply->datagram.size() <= Listener::kMaxReply);
      SLUICE_CHECK(counts.sent <= counts.received);
      const auto header = record::Header12::decode(reply->datagram);
      SLUICE_CHECK(header && header->length + record::kHeaderSize12 == reply->datagram.size());
      reply_.assign(reply->datagram.begin(), reply->datagram.end());
    }
    const auto* discarded = std::get_if<Listener::Discarded>(&outcome);
    SLUICE_CHECK(discarded == nullptr || discarded->reason != ListenerDiscard::libcrypto_failure);
  }

  void accept(Admission admission) {
    auto [connection, outcome] =
        Connection::accept(std::move(admission), environment_, PathId{2}, now_);
    SLUICE_CHECK(!outcome || outcome->transmit);
    SLUICE_CHECK(outcome || outcome.error().alert);
    std::array<std::byte, kMaxDatagram> out{};
    unsigned datagrams = 0;
    while (connection.poll_transmit(out)) ++datagrams;
    SLUICE_CHECK(datagrams > 0);
  }

  struct Counts {
    std::size_t received = 0;
    std::size_t sent = 0;
    bool answered = false;
  };

  Environment& environment_;
  Instant now_{};
  Listener listener_;
  Connection client_;
  bool client_ended_ = false;
  std::deque<Buffer> hellos_;
  Buffer reply_;
  std::array<Counts, kAddresses> counts_{};
};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  dtls::wire::Reader input(fuzz::bytes_of(data, size));
  fuzz::Run run(input.u8());
  while (input.more()) run.step(input);
  return 0;
}
