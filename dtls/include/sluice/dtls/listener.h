// Stateless cookies against spoofed ClientHellos: a server answers the first ClientHello of an
// unknown address with a cookie and keeps nothing (RFC 9147 section 5.1, RFC 6347 section
// 4.2.1).
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
#include <sluice/dtls/secret.h>

namespace sluice::dtls {

struct ListenerOptions {
  // How long a cookie is valid: at least this long, at most twice as long. The secret behind the
  // cookies changes at this interval, and the previous one remains valid. 1 s to 24 h.
  Duration cookie_lifetime = std::chrono::seconds{60};
  // The longest ClientHello accepted, in bytes: 512 to 65535, and at most
  // ConfigOptions::max_handshake_message. Browsers send about 1500 with one post-quantum key share;
  // two such shares would make about 3000.
  std::size_t max_client_hello = 4096;
  // How many ClientHellos that span datagrams can be in reassembly at once, 0 to 65536. Each takes
  // max_client_hello bytes and 450 more, allocated by make(). A further one replaces the one that
  // was used least recently, whose client starts again with its next retransmission. 0: a
  // ClientHello must fit into one datagram.
  std::size_t unfinished_hellos = 64;
};

// Why a Listener dropped a datagram.
enum class ListenerDiscard : std::uint8_t {
  no_client_hello,   // another record or message: late, stray, or of an ended association
  malformed,         // an invalid record, fragment or ClientHello
  too_long,          // above ListenerOptions::max_client_hello
  no_room,           // spans datagrams, but unfinished_hellos is 0
  reply_too_long,    // the reply would be longer than the bytes received so far
  address_too_long,  // above Listener::kMaxAddress
  libcrypto_failure,
};
inline constexpr std::size_t kListenerDiscardReasons = 7;

std::string_view to_string(ListenerDiscard reason);

struct ListenerStatistics {
  std::uint64_t datagrams_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;  // in replies; never more than bytes_received
  std::uint64_t hello_verify_requests = 0;
  std::uint64_t hello_retry_requests = 0;
  std::uint64_t alerts = 0;
  std::uint64_t admissions = 0;
  std::uint64_t unfinished = 0;  // datagrams kept with a part of a ClientHello
  std::uint64_t evictions = 0;   // incomplete ClientHellos that were replaced
  // Second ClientHellos whose cookie has expired, is forged or of another address, or that differ
  // from the first in something that must not change (RFC 8446 section 4.1.2).
  std::uint64_t refused_cookies = 0;
  std::array<std::uint64_t, kListenerDiscardReasons> discarded = {};

  [[nodiscard]] std::uint64_t count(ListenerDiscard reason) const {
    return discarded[static_cast<std::size_t>(reason)];
  }
};

// As for_each_counter() of Statistics.
template <class Visit>
void for_each_counter(const ListenerStatistics& statistics, Visit&& visit) {
  constexpr std::string_view kNone;
  visit(std::string_view("datagrams_received"), kNone, statistics.datagrams_received);
  visit(std::string_view("bytes_received"), kNone, statistics.bytes_received);
  visit(std::string_view("bytes_sent"), kNone, statistics.bytes_sent);
  visit(std::string_view("hello_verify_requests"), kNone, statistics.hello_verify_requests);
  visit(std::string_view("hello_retry_requests"), kNone, statistics.hello_retry_requests);
  visit(std::string_view("alerts"), kNone, statistics.alerts);
  visit(std::string_view("admissions"), kNone, statistics.admissions);
  visit(std::string_view("unfinished"), kNone, statistics.unfinished);
  visit(std::string_view("evictions"), kNone, statistics.evictions);
  visit(std::string_view("refused_cookies"), kNone, statistics.refused_cookies);
  for (std::size_t i = 0; i < kListenerDiscardReasons; ++i) {
    visit(std::string_view("discarded"), to_string(static_cast<ListenerDiscard>(i)),
          statistics.discarded[i]);
  }
}

// Numbers the cookies of a Listener in the order in which it gave them, modulo 2^32.
enum class CookieNumber : std::uint32_t {};

// Whether `one` was given after `other`. Of two cookies that one Listener gave within 24 days,
// which is longer than a cookie can be valid.
constexpr bool is_later(CookieNumber one, CookieNumber other) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(one) -
                                   static_cast<std::uint32_t>(other)) > 0;
}

// A client that has returned its cookie, and so receives what is sent to its address: the input of
// Connection::accept(). It owns its data: it may be given to another thread and may outlive the
// Listener.
class Admission {
 public:
  Admission(Admission&&) noexcept;
  Admission& operator=(Admission&&) noexcept;
  ~Admission();

  // The random of its ClientHello. It tells no repetition from another association: a device
  // without good random numbers has the same one each time it starts. cookie_number() does.
  [[nodiscard]] std::span<const std::byte, 32> client_random() const;
  // The number of the cookie in its ClientHello: equal for repetitions of one ClientHello, and
  // later for a client that has asked anew.
  [[nodiscard]] CookieNumber cookie_number() const;

 private:
  friend class Connection;
  friend class Listener;
  struct Impl;
  explicit Admission(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The connection that Connection::accept() made, and the result of the ClientHello as from
// handle_datagram(). Poll the outputs also after an Error.
struct Accepted {
  Connection connection;
  Result<Pending> outcome;
};

// Answers first ClientHellos for a server, without socket, thread or clock. Used by one thread at a
// time together with its Environment, which must outlive it. Each of several threads has a Listener
// with its own secrets, so all datagrams of one address must reach the same thread (SO_REUSEPORT
// does that).
//
// Pass it the datagrams of addresses without a connection. Look for a connection first: a second
// ClientHello whose cookie is still valid is admitted each time it arrives, and clients retransmit
// what is not answered in time. (A cookie cannot detect an observer who replays a whole
// ClientHello; the answer then goes to the address that the observer sent it from.)
//
// A client that has lost its state and starts again from its old address (RFC 9147 section 5.11) is
// an unknown client. To let it in, also pass plaintext handshake records (first byte 22, bytes 3
// and 4 zero) from the address of a connection. If the Admission's cookie_number() is_later() than
// that of the connection's own Admission, make a connection from it, which replaces the old one
// once it is connected, not before. Otherwise the ClientHello is a repetition, or late: pass the
// datagram to the connection.
//
// Time: for each datagram linear in its bytes, whatever lengths it claims, and independent of the
// options.
//
// Memory: make() allocates everything that handle_datagram() needs; only an Admission allocates.
// (libcrypto allocates and frees some memory while it computes.)
class Listener {
 public:
  // The longest peer_address, in bytes. IPv6 address, port and scope take 22.
  static constexpr std::size_t kMaxAddress = 32;
  // The longest reply, in bytes.
  static constexpr std::size_t kMaxReply = 192;

  // Nothing to send; the reason is counted.
  struct Discarded {
    ListenerDiscard reason;
  };
  // Part of a ClientHello, kept until the rest arrives. Nothing to send.
  struct Unfinished {};
  // A HelloVerifyRequest, HelloRetryRequest or alert: send it to that address now. Valid until the
  // next call. It is not retransmitted: the client's own timer asks again.
  struct Reply {
    Bytes datagram;
  };
  using Outcome = std::variant<Discarded, Unfinished, Reply, Admission>;

  // Errors: invalid_config, with the option's name in Error::detail; libcrypto_failure.
  static Result<Listener> make(ConfigPtr config, Environment& environment,
                               ListenerOptions options = {});

  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  ~Listener();

  // Takes one datagram. `peer_address` is the caller's encoding of address and port, equal only for
  // equal addresses. An invalid cookie is answered as the RFCs require: in DTLS 1.2 with a new one,
  // in 1.3 with illegal_parameter, since a client may be asked only once.
  Outcome handle_datagram(Bytes datagram, Bytes peer_address, Instant now);

  // Cookies that several Listeners share: a client may then be asked by one and return its cookie
  // to another. One Listener's secret is enough for as long as they run; their clocks must agree to
  // a fraction of cookie_lifetime, which is the same in all. Cookie numbers are those of one
  // Listener: of two that different ones gave within the same millisecond, either may be the later.

  // Errors: libcrypto_failure.
  Result<SecretBytes> export_cookie_secret(Instant now);
  // Errors: decode_error for bytes that export_cookie_secret() did not write or of another
  // cookie_lifetime; libcrypto_failure. The former cookies stay valid then, and not otherwise.
  Result<void> import_cookie_secret(Bytes secret, Instant now);

  [[nodiscard]] const ListenerStatistics& statistics() const;

 private:
  class Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
