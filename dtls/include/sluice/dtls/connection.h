// One DTLS association, without a socket, a thread or a clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/config.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/event.h>
#include <sluice/dtls/fingerprint.h>
#include <sluice/dtls/packet_observer.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/srtp_keys.h>
#include <sluice/dtls/statistics.h>

namespace sluice::dtls {

// What an input has left to be polled. An output whose flag is clear has nothing, so an idle poll
// costs nothing; polling all the same is harmless.
struct Pending {
  bool transmit = false;
  bool data = false;
  bool event = false;
  bool timer = false;  // next_timeout() may have changed
  // The input has authenticated a protected record: of the datagram, or one that had been kept
  // until its keys were there. So the peer that has the connection's keys has sent it. A record
  // that was sent twice, or that failed to authenticate, doesn't count. Only inputs of a Connection
  // set it.
  bool record_opened = false;
};

// One datagram that poll_transmit() wrote.
struct Transmit {
  std::size_t size;
  PathId path;
};

// Why seal() wrote nothing. All are ordinary: none ends the connection.
enum class SendError : std::uint8_t {
  not_connected,      // not yet, or no longer
  too_large,          // above ConnectionInfo::max_application_data
  limit_reached,      // the record numbers of the epoch are used up (RFC 6347 section 4.1), or its
                      // key's limit is reached and the peer doesn't acknowledge new ones
  buffer_too_small,   // `out` can't hold the data and kSealOverhead, or sealed_size()
  libcrypto_failure,  // as when there is no memory: another call may succeed
};
using SendResult = tl::expected<std::size_t, SendError>;

std::string_view to_string(SendError error);

// The largest application data of one record (RFC 5246 section 6.2.1).
inline constexpr std::size_t kMaxApplicationData = 16384;
// What a record adds at most: a header of 13 bytes, and what its cipher suite does. An AEAD
// adds 24. ConfigOptions::record_padding comes on top: see Connection::sealed_size().
inline constexpr std::size_t kSealHeadRoom = 13 + RecordRoom12::kMaxHead;
inline constexpr std::size_t kSealTailRoom = RecordRoom12::kMaxTail;
inline constexpr std::size_t kSealOverhead = kSealHeadRoom + kSealTailRoom;
// A buffer of this size holds any datagram that poll_transmit() writes.
inline constexpr std::size_t kMaxDatagram = 16384;

class Admission;  // <sluice/dtls/listener.h>
struct Accepted;

// Move-only; used by one thread at a time, together with its Environment, which must outlive it.
//
// After every input, also after one that failed (its alert still has to leave), drain the outputs
// in this order: poll_data(), poll_event() until empty, poll_transmit() until empty,
// next_timeout().
//
// An Error from an input is fatal and final: later inputs return it again. What the RFC says to
// discard is discarded and counted, never an Error.
class Connection {
 public:
  // A client has its first flight ready to be polled at once. `path` is where datagrams go until
  // set_path(). `session` is offered to be resumed; one that has expired or that the Config doesn't
  // allow isn't. Errors: libcrypto_failure; invalid_config when libcrypto has none of the Config's
  // groups, for servers too.
  static Result<Connection> client(ConfigPtr config, Environment& environment, PathId path,
                                   Instant now,
                                   const std::optional<ResumableSession>& session = {});
  static Result<Connection> server(ConfigPtr config, Environment& environment, PathId path,
                                   Instant now);

  // A server whose peer a Listener has let in: it goes on with the ClientHello that had the cookie,
  // and has its answer ready to be polled.
  static Accepted accept(Admission admission, Environment& environment, PathId path, Instant now);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  ~Connection();

  // ---- inputs

  // Takes one datagram and decrypts it where it lies; spans from poll_data() point into it.
  Result<Pending> handle_datagram(MutableBytes datagram, PathId path, Instant now);
  // To be called at next_timeout() or later; earlier calls do nothing.
  Result<Pending> handle_timeout(Instant now);
  // Answers a question that an Event has asked. A rejection of the peer is an Error
  // (peer_rejected), its alert is queued. An answer to nothing, or of the wrong kind, is
  // invalid_argument and changes nothing.
  Result<Pending> answer(QuestionId question, const Answer& answer, Instant now);
  // Accepts the peer by its certificate's fingerprint (RFC 8122), before or after that has arrived.
  // A certificate that doesn't match ends the connection at once with bad_certificate.
  Result<Pending> set_peer_fingerprints(std::span<const Fingerprint> announced, Instant now);
  // New keys for what this side sends (DTLS 1.3, RFC 9147 section 8), and with update_requested for
  // what the peer sends. They are used once the peer has acknowledged the message; while one is
  // under way another call does nothing. It also happens by itself
  // (ConfigOptions::max_records_per_key). Errors: not_connected and invalid_argument (DTLS 1.2)
  // change nothing; message_seq_exhausted ends the connection.
  Result<Pending> update_keys(KeyUpdateRequest request, Instant now);
  // Queues close_notify and ends the connection; a handshake in progress is given up.
  Result<Pending> close(Instant now);

  // Where poll_transmit() sends from now on.
  void set_path(PathId path);
  // The largest datagram the path takes, in bytes (256 to 16384): for handshake flights still to be
  // sent.
  void set_path_mtu(std::size_t mtu);
  // A measured round-trip time: flights that leave from now on take their first timeout from it.
  void set_path_rtt(Duration rtt);

  // ---- application data

  // Writes one record with `application_data` to `out` and returns its size: a datagram to be sent
  // on path(). `out` needs kSealOverhead bytes more than the data, with record_padding
  // sealed_size(), and must not overlap it. Sealed at once: no queue, and no
  // allocation but of the ciphers of a connection that had none (max_warm_connections).
  SendResult seal(Bytes application_data, MutableBytes out);
  // The most that seal() would now write of so much data, padding included; 0 before Connected.
  [[nodiscard]] std::size_t sealed_size(std::size_t application_data) const;

  // ---- outputs

  // Writes the next datagram to `out`, which must hold the path's MTU.
  std::optional<Transmit> poll_transmit(MutableBytes out);
  // The next application data: a span valid until the next input, in the order of arrival.
  std::optional<MutableBytes> poll_data();
  std::optional<Event> poll_event();
  // When handle_timeout() wants to be called; empty: never.
  [[nodiscard]] std::optional<Instant> next_timeout() const;

  // ---- what it knows

  [[nodiscard]] Role role() const;
  // As a PacketObserver is told it.
  [[nodiscard]] ConnectionNumber number() const;
  [[nodiscard]] PathId path() const;
  [[nodiscard]] bool connected() const;
  // Closed or failed: no input changes anything, and only its last outputs remain.
  [[nodiscard]] bool ended() const;
  // Empty until Connected.
  [[nodiscard]] std::optional<ConnectionInfo> info() const;
  [[nodiscard]] Statistics statistics() const;

  // RFC 5705, and RFC 8446 section 7.5 in DTLS 1.3: fills `out`. Only in DTLS 1.2 do an absent
  // context and an empty one give different bytes. Errors:
  // not_connected, invalid_argument (a label reserved by RFC 5246, a context above 65535 bytes; in
  // DTLS 1.3 also a label above 249 bytes, or more output than 255 times the hash's size).
  Result<void> export_keying_material(MutableBytes out, std::string_view label,
                                      std::optional<Bytes> context) const;
  // The keys of RFC 5764 section 4.2. Errors: not_connected, srtp_not_negotiated.
  [[nodiscard]] Result<SrtpKeys> srtp_keys() const;

 private:
  class Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::dtls
