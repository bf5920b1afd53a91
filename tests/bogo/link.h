// The stream to the runner, and what it carries: datagrams, and orders about time and MTU.
#pragma once

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <variant>

namespace sluice::bogo {

struct Packet {
  dtls::Buffer datagram;
};
// The runner has read all that was sent before; now so much time passes.
struct AdvanceClock {
  std::chrono::nanoseconds by;
};
struct SetMtu {
  std::size_t bytes;
};
// The next timeout must be due in so long; empty: there must be none.
struct ExpectTimeout {
  std::optional<dtls::Duration> in;
};
struct SetInitialTimeout {
  dtls::Duration timeout;
};
using Frame = std::variant<Packet, AdvanceClock, SetMtu, ExpectTimeout, SetInitialTimeout>;

// One TCP connection to the runner. Blocks; what can't be sent is lost, as on a network.
class Link {
 public:
  // Connects to the loopback interface and says which shim this is.
  static tl::expected<Link, std::string> connect(std::uint16_t port, bool ipv6,
                                                 std::uint64_t shim_id);
  Link(Link&& other) noexcept;
  Link& operator=(Link&&) = delete;
  // Sends no more and waits until the runner doesn't either, so that it sees no reset.
  ~Link();

  enum class End : std::uint8_t { closed, malformed, idle };
  // The next frame. An AdvanceClock has been acknowledged already. Idle: none has come for
  // kIdleTime.
  [[nodiscard]] tl::expected<Frame, End> receive() const;
  void send(dtls::Bytes datagram) const;

 private:
  // Real time. A runner with something to send is much quicker; one that waits in vain for the shim
  // gives up after 15 s.
  static constexpr std::chrono::seconds kIdleTime{5};

  explicit Link(int socket) : socket_(socket) {}
  bool read(dtls::MutableBytes out) const;
  [[nodiscard]] std::optional<std::uint64_t> read_number(std::size_t size) const;
  [[nodiscard]] tl::expected<Frame, End> read_packet() const;
  void write(dtls::Bytes bytes) const;

  int socket_;
};

}  // namespace sluice::bogo
