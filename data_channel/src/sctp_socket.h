// One SCTP association over DTLS (RFC 8261) on usrsctp. Only this file's source and SctpLibrary's
// use usrsctp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include <sluice/data_channel/association.h>

#include "dcep.h"
#include "sctp_library.h"

struct socket;  // usrsctp's

namespace sluice::data_channel {

// ---- what SctpSocket::read() returns

struct SctpUp {
  std::uint16_t streams;  // that both directions have
};
struct SctpDown {
  bool timeout;  // the peer has not answered; otherwise it has ended the association
};
struct SctpMessage {
  std::uint16_t stream;
  PayloadProtocol protocol;
  Bytes data;  // valid until the next read()
};
// A message above max_message_size has been skipped.
struct SctpOversized {};
// RFC 6525. The streams stand behind the event; none: all streams.
struct SctpReset {
  bool incoming;  // the peer has reset its streams; otherwise the answer to our request
  bool refused;   // our request
  std::span<const std::uint16_t> streams;  // valid until the next read()
};
using SctpInput = std::variant<SctpUp, SctpDown, SctpMessage, SctpOversized, SctpReset>;

enum class SctpSend : std::uint8_t { sent, would_block, failed };
enum class SctpResetRequest : std::uint8_t {
  made,
  later,  // another is under way (RFC 6525 section 5.1.2 allows one): try again after its answer
  impossible,  // the peer has no RFC 6525, or a stream is none
};

// How a message is delivered.
struct Delivery {
  bool ordered = true;
  std::optional<std::uint32_t> max_retransmits = {};
  std::optional<std::uint32_t> max_lifetime = {};  // ms
};

// What usrsctp tells about the association.
struct SctpFigures {
  bool established = false;
  bool active = false;  // data or chunks wait for an acknowledgement
  std::optional<dtls::Duration> rtt = {};
  std::uint32_t congestion_window = 0;
  std::uint32_t peer_window = 0;
};

// All calls want the lock of SctpLibrary.
class SctpSocket {
 public:
  SctpSocket(const Options& options, dtls::Instant now);
  ~SctpSocket();
  SctpSocket(const SctpSocket&) = delete;
  SctpSocket& operator=(const SctpSocket&) = delete;

  // Puts the INIT into packets(). An Error names the step that failed.
  Result<void> connect();
  // Gives the timers of a connect() with Options::wait_for_start their usual length.
  bool end_wait();
  // False: dropped, since it is beyond the receive window.
  bool receive(Bytes packet);
  // The next message or event, in the order in which they came. Empty: there is none.
  std::optional<SctpInput> read();
  SctpSend send(std::uint16_t stream, PayloadProtocol protocol, Bytes data, const Delivery& how);
  // Resets outgoing streams.
  SctpResetRequest reset(std::span<const std::uint16_t> streams);
  // Sends an ABORT. Afterwards only packets() may be called.
  void abort();

  [[nodiscard]] PacketQueue& packets() { return outlet_.packets; }
  [[nodiscard]] const PacketQueue& packets() const { return outlet_.packets; }
  [[nodiscard]] std::uint64_t dropped_packets() const { return outlet_.dropped; }
  [[nodiscard]] std::uint64_t too_large_packets() const { return outlet_.too_large; }
  [[nodiscard]] SctpFigures figures() const;

 private:
  bool set_option(int option, const void* value, std::size_t size);
  bool set_options();
  bool set_timeouts(bool waiting);
  bool subscribe();
  bool set_path();
  [[nodiscard]] bool timed_out() const;
  std::optional<SctpInput> take_notification(Bytes notification);

  Options options_;
  SctpLibrary::Outlet outlet_;
  std::uintptr_t number_;
  struct socket* socket_ = nullptr;
  std::vector<std::byte> part_;  // what one call reads
  Buffer message_;               // that is being read, at most max_message_size
  bool complete_ = false;        // message_ has been handed out
  bool skipping_ = false;
  std::vector<std::uint16_t> streams_;  // of the last SctpReset
};

}  // namespace sluice::data_channel
