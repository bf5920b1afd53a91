// An Endpoint, genuine clients at a few addresses, and everything that anybody may send from there:
// its limits hold, each connection ends once and leaves nothing, and who is connected stays so
// whatever is sent in plaintext. Some runs have connection IDs, and clients that move.
#include <sluice/dtls/endpoint.h>

#include <array>
#include <deque>
#include <set>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/endpoints.h"
#include "support/fixed_identity.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using test::must;

constexpr unsigned kAddresses = 4;
constexpr std::size_t kLimit = 3;
constexpr std::size_t kMaxWaiting = 32;

// Randomness starts over with each input.
Environment& fresh_environment() {
  static test::SeededRandom random{1};
  static Environment environment = must(Environment::make({.random = &random}));
  random.restart(1);
  return environment;
}

struct Ids {
  std::optional<std::size_t> size = {};
  bool are_checked = true;
};

ConfigPtr make_config(bool only12, std::size_t mtu, const Ids& ids = {}) {
  static const Identity kIdentity = must(Identity::from_pem(test::kCertificate, test::kPrivateKey));
  ConfigOptions options;
  options.identities = {kIdentity};
  options.groups = {NamedGroup::secp256r1};
  options.mtu = mtu;
  options.connection_id_size = ids.size;
  if (!ids.are_checked) options.return_routability = ReturnRoutability::none;
  if (only12) options.max_version = ProtocolVersion::dtls12;
  return must(Config::make(std::move(options)));
}

UdpPath path_of(unsigned number) {
  // Two hosts.
  return {.peer = {Ipv4Address{10, 0, 0, static_cast<std::uint8_t>(number % 2)},
                   static_cast<std::uint16_t>(number)}};
}

enum class Step : std::uint8_t {
  datagram,  // address, length, bytes: from anybody
  client,    // address, bits: begins anew; 1: DTLS 1.2, 2: in pieces
  next,      // address and how far it is moved, offset, mask: the client's next datagram, one byte
             // changed unless 0
  answers,   // address: what the endpoint has sent there reaches the client
  time,      // seconds
  use,       // address, what: of the connection there; 16: the client there sends data
};
constexpr unsigned kSteps = 6;

class Run {
 public:
  explicit Run(std::uint8_t choices)
      : choices_(choices),
        environment_(fresh_environment()),
        endpoint_(must(Endpoint::make(make_options(choices), environment_))) {}

  void step(wire::Reader& input) {
    const auto step = static_cast<Step>(input.u8() % kSteps);
    const unsigned value = input.u8();
    const unsigned number = value % kAddresses;
    switch (step) {
      case Step::datagram:
        return forge(take(input, input.u16()), number);
      case Step::client:
        return begin(number, input.u8());
      case Step::next: {
        const std::size_t offset = input.u8();
        const bool has_ids = (choices_ & 64) != 0;
        const unsigned from = has_ids ? (number + value / kAddresses) % kAddresses : number;
        return next(number, from, offset, static_cast<std::byte>(input.u8()));
      }
      case Step::answers:
        return answers(number);
      case Step::time:
        now_ += std::chrono::seconds(value);
        endpoint_.handle_timeout(now_);
        return drain();
      case Step::use:
        return use(number, input.u8());
    }
  }

  void finish() {
    for (unsigned number = 0; number < kAddresses; ++number) {
      // Once for whoever begins anew there, and once for the one before.
      for (int i = 0; i < 2; ++i) {
        if (const auto known = endpoint_.find(path_of(number)))
          SLUICE_CHECK(endpoint_.abort(*known).has_value());
      }
    }
    // Those that share their path with another.
    endpoint_.close_all(now_);
    drain();
    SLUICE_CHECK(endpoint_.size() == 0 && endpoint_.half_open() == 0);
    SLUICE_CHECK(!endpoint_.next_timeout());
    SLUICE_CHECK(ended_.size() == endpoint_.statistics().accepted + called_);
  }

 private:
  // 64: there are connection IDs; 128: without return routability checks.
  static Ids ids_of(std::uint8_t choices, std::size_t size) {
    if ((choices & 64) == 0) return {};
    return {.size = size, .are_checked = (choices & 128) == 0};
  }
  static EndpointOptions make_options(std::uint8_t choices) {
    EndpointOptions options;
    // One byte: they are soon used up.
    options.server = make_config((choices & 1) != 0, 1200, ids_of(choices, 1));
    options.peer_move = PeerMove::newer_record;
    options.max_connections = kLimit;
    options.max_half_open = kLimit;
    options.max_connections_per_host = (choices & 2) != 0 ? 1U : 0U;
    options.max_half_open_per_host = (choices & 4) != 0 ? 1U : 0U;
    if ((choices & 8) != 0) options.idle_limit = std::chrono::minutes{2};
    if ((choices & 16) != 0) options.displace_silent_after = std::chrono::seconds{1};
    if ((choices & 32) != 0) options.max_timers_per_call = 1;
    return options;
  }

  struct Client {
    std::optional<Connection> connection;
    std::deque<Buffer> sent;
    std::deque<Buffer> answers;
  };

  void forge(Buffer datagram, unsigned number) {
    const bool is_plaintext = datagram.size() > 4 && datagram[0] >= std::byte{20} &&
                              datagram[0] < std::byte{27} && datagram[3] == std::byte{} &&
                              datagram[4] == std::byte{};
    const auto before = endpoint_.find(path_of(number));
    const bool must_stay = before && is_plaintext && endpoint_.find(*before)->connected();
    endpoint_.handle_datagram(datagram, path_of(number), now_);
    drain();
    SLUICE_CHECK(!must_stay || endpoint_.find(path_of(number)) == before);
  }

  void begin(unsigned number, unsigned bits) {
    Client& client = clients_[number];
    const auto config =
        make_config((bits & 1) != 0, (bits & 2) != 0 ? kMinimumMtu : 1200, ids_of(choices_, 0));
    client.connection.emplace(must(Connection::client(config, environment_, PathId{1}, now_)));
    collect(client);
  }

  static void collect(Client& client) {
    std::array<std::byte, kMaxDatagram> out{};
    while (const auto sent = client.connection->poll_transmit(out)) {
      if (client.sent.size() == kMaxWaiting) continue;
      client.sent.emplace_back(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sent->size));
    }
  }

  void next(unsigned number, unsigned from, std::size_t offset, std::byte mask) {
    Client& client = clients_[number];
    if (client.sent.empty()) return;
    Buffer datagram = std::move(client.sent.front());
    client.sent.pop_front();
    datagram[offset % datagram.size()] ^= mask;
    endpoint_.handle_datagram(datagram, path_of(from), now_);
    drain();
  }

  void answers(unsigned number) {
    Client& client = clients_[number];
    if (!client.connection) return;
    while (!client.answers.empty()) {
      static_cast<void>(
          client.connection->handle_datagram(client.answers.front(), PathId{1}, now_));
      client.answers.pop_front();
      while (const auto event = client.connection->poll_event()) {
        if (const auto* asked = std::get_if<PeerCertificateReceived>(&*event)) {
          static_cast<void>(client.connection->answer(asked->question, AcceptPeer{}, now_));
        }
      }
    }
    collect(client);
  }

  void use(unsigned number, unsigned what) {
    const auto known = endpoint_.find(path_of(number));
    std::array<std::byte, 100> out{};
    if ((what & 16) != 0) return say(number);
    if (what % 4 == 0) {
      const auto called = endpoint_.connect(make_config(false, 1200), path_of(number), now_);
      SLUICE_CHECK(!known || !called);
      if (called) ++called_;
    } else if (known && what % 4 == 1) {
      SLUICE_CHECK(endpoint_.close(*known, now_).has_value());
    } else if (known && what % 4 == 2) {
      SLUICE_CHECK(endpoint_.abort(*known).has_value());
    } else if (known) {
      static_cast<void>(endpoint_.seal(*known, test::bytes_of("data"), out));
    }
    drain();
  }

  void say(unsigned number) {
    Client& client = clients_[number];
    if (!client.connection || client.sent.size() == kMaxWaiting) return;
    Buffer out(client.connection->sealed_size(4));
    const auto size = client.connection->seal(test::bytes_of("data"), out);
    if (size) client.sent.emplace_back(out.begin(), out.begin() + static_cast<long>(size->size));
  }

  void drain() {
    while (const auto data = endpoint_.poll_data())
      SLUICE_CHECK(!ended_.contains(data->connection));
    while (const auto event = endpoint_.poll_event()) {
      SLUICE_CHECK(!ended_.contains(event->connection));
      if (const auto* asked = std::get_if<PeerCertificateReceived>(&event->what)) {
        static_cast<void>(endpoint_.answer(event->connection, asked->question, AcceptPeer{}, now_));
      }
      if (std::holds_alternative<Ended>(event->what)) ended_.insert(event->connection);
    }
    std::array<std::byte, kMaxDatagram> out{};
    while (const auto sent = endpoint_.poll_transmit(out)) {
      const unsigned number = sent->path.peer.port;
      SLUICE_CHECK(number < kAddresses && sent->path == path_of(number));
      auto& answers = clients_[number].answers;
      if (answers.size() == kMaxWaiting) continue;
      answers.emplace_back(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(sent->size));
    }
    SLUICE_CHECK(endpoint_.half_open() <= kLimit);
    SLUICE_CHECK(endpoint_.size() <= 2 * kLimit);
  }

  std::uint8_t choices_;
  Environment& environment_;
  Instant now_{};
  Endpoint endpoint_;
  std::array<Client, kAddresses> clients_;
  std::set<ConnectionHandle> ended_;
  std::uint64_t called_ = 0;
};

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  dtls::wire::Reader input(fuzz::bytes_of(data, size));
  fuzz::Run run(input.u8());
  while (input.more()) run.step(input);
  run.finish();
  return 0;
}
