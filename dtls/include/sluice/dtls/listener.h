// What a server does with peers that haven't shown yet that they are where they say: it answers
// their first ClientHello with a cookie and keeps nothing (RFC 9147 section 5.1, RFC 6347
// section 4.2.1).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <variant>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>
#include <sluice/dtls/connection.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls {

struct ListenerOptions {
  // A cookie is good for so long at least and for twice that at most: the secret behind them
  // changes so often, and the one before holds as well. From a second to a day.
  Duration cookie_lifetime = std::chrono::seconds{60};
  // The longest ClientHello taken, in bytes: 512 to 65535, and never more than
  // ConfigOptions::max_handshake_message. Browsers' with a post-quantum share have 1500, with two
  // such shares it would be 3000.
  std::size_t max_client_hello = 4096;
  // As many ClientHellos that span datagrams can be under way at once, up to 65536; each takes
  // twice max_client_hello bytes, allocated by make(). When another comes the oldest gives way, and
  // its sender's next repetition begins a new one. 0: a hello must fit a datagram.
  std::size_t unfinished_hellos = 64;
};

// Why a Listener did nothing with a datagram.
enum class ListenerDiscard : std::uint8_t {
  no_client_hello,   // another record or message: late, stray, or of an association that's gone
  malformed,         // a record, a fragment or a hello that can't be
  too_long,          // a hello above ListenerOptions::max_client_hello
  no_room,           // a hello that spans datagrams, and there is no table for them
  reply_too_long,    // the answer would be longer than what has come: it waits for a repetition
  address_too_long,  // above Listener::kMaxAddress
  libcrypto_failure,
};
inline constexpr std::size_t kListenerDiscardReasons = 7;

std::string_view to_string(ListenerDiscard reason);

struct ListenerStatistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;  // in replies: never more than were received
  std::uint64_t hello_verify_requests = 0;
  std::uint64_t hello_retry_requests = 0;
  std::uint64_t alerts = 0;
  std::uint64_t admissions = 0;
  std::uint64_t unfinished = 0;       // datagrams with a part of a hello, kept
  std::uint64_t evictions = 0;        // hellos that gave way before they were whole
  std::uint64_t refused_cookies = 0;  // expired, forged, of another address or another hello
  std::array<std::uint64_t, kListenerDiscardReasons> discarded = {};

  [[nodiscard]] std::uint64_t discards(ListenerDiscard reason) const {
    return discarded[static_cast<std::size_t>(reason)];
  }
};

// A peer that has shown that it receives what is sent to its address: what Connection::accept()
// makes a connection of. Owns all it needs: it may be given to another thread, and may outlive the
// Listener.
class Admission {
 public:
  Admission(Admission&&) noexcept;
  Admission& operator=(Admission&&) noexcept;
  ~Admission();

  // Of its ClientHello: what the client has made up for this association alone.
  [[nodiscard]] std::span<const std::byte, 32> client_random() const;

 private:
  friend class Connection;
  friend class Listener;
  struct Impl;
  explicit Admission(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// What Connection::accept() has made, and what the hello led to there: as from handle_datagram(),
// with outputs to be polled also when it is an Error.
struct Accepted {
  Connection connection;
  Result<Pending> outcome;
};

// Stands before a server's connections, without a socket, a thread or a clock. Used by one thread
// at a time, together with its Environment, which must outlive it. Several threads have a Listener
// each; as each has secrets of its own, all datagrams of one address must come to the same one
// (SO_REUSEPORT sees to that).
//
// Which datagrams: those from addresses that have no connection. Look for that first: a second
// ClientHello whose cookie is still good is admitted as often as it comes, and a client repeats
// what isn't answered in time. (A whole hello that somebody has seen and repeats is what no cookie
// tells; its answer goes to the address of who said it.)
//
// A client that has lost its state and begins anew at its old address (RFC 9147 section 5.11) is a
// stranger again. To see it, give plaintext handshake records (first byte 22, bytes 3 and 4 zero)
// from an address whose connection is connected to the Listener as well, and let the connection
// that comes of an Admission take the other's place when it is connected itself, not before.
//
// Memory: all that handle_datagram() needs is allocated by make(); only an Admission allocates.
// (libcrypto takes and gives back some while it computes.)
class Listener {
 public:
  // An address longer than this can't be bound to a cookie: IPv6 address, port and scope are 22.
  static constexpr std::size_t kMaxAddress = 32;
  // No reply is longer.
  static constexpr std::size_t kMaxReply = 192;

  // Nothing is to be sent; the reason is counted.
  struct Discarded {
    ListenerDiscard reason;
  };
  // Part of a ClientHello, kept until the rest comes. Nothing is to be sent.
  struct Unfinished {};
  // A datagram to be sent to that address at once: a HelloVerifyRequest, a HelloRetryRequest or an
  // alert. Valid until the next call. It is not repeated: the peer's own timer asks for it again.
  struct Reply {
    Bytes datagram;
  };
  using Outcome = std::variant<Discarded, Unfinished, Reply, Admission>;

  // Errors: invalid_config, with Error::detail naming the option; libcrypto_failure.
  static Result<Listener> make(ConfigPtr config, Environment& environment,
                               ListenerOptions options = {});

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  // Takes one datagram. `peer_address` is the caller's own encoding of address and port, equal for
  // equal addresses and for no others. A cookie that isn't good is answered as the RFCs ask: in
  // DTLS 1.2 with a new one, in 1.3 with illegal_parameter, as a client may not be asked twice.
  Outcome handle_datagram(Bytes datagram, Bytes peer_address, Instant now);

  [[nodiscard]] const ListenerStatistics& statistics() const;

 private:
  class Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
