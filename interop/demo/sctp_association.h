// One SCTP association over DTLS (RFC 8261), by usrsctp: its only place.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "demo/data_channel.h"

struct socket;  // usrsctp's

namespace sluice::interop::demo {

class SctpAssociation;

// usrsctp's process-wide state, without its threads: one at a time, used by one thread together
// with its associations, which it outlives. Time passes only in advance().
class SctpStack {
 public:
  SctpStack();
  ~SctpStack();
  SctpStack(const SctpStack&) = delete;
  SctpStack& operator=(const SctpStack&) = delete;

  // Runs the timers of all associations; poll them afterwards. usrsctp counts in ticks of 10 ms.
  static constexpr std::chrono::milliseconds kTick{10};
  void advance(std::chrono::milliseconds elapsed);

 private:
  friend class SctpAssociation;

  // usrsctp may send for an association that is being closed: it knows it by a number, which is
  // looked up, not by its address.
  static int output(void* number, void* packet, std::size_t size, std::uint8_t tos,
                    std::uint8_t set_df);
  static std::map<std::uintptr_t, SctpAssociation*>& associations();
};

struct SctpOptions {
  std::uint16_t local_port = 5000;
  std::uint16_t remote_port = 5000;
  // The largest SCTP packet in bytes. With 37 bytes of DTLS, 8 of UDP and 40 of IPv6 it fits IPv6's
  // minimum MTU of 1280.
  std::size_t mtu = 1192;
  std::size_t max_message_size = 262144;  // larger messages are dropped and counted
};

struct SctpMessage {
  std::uint16_t stream = 0;
  PayloadProtocol protocol = PayloadProtocol::binary;
  Buffer data;
};

// The peer has reset its outgoing stream (RFC 6525): it closes that channel.
struct StreamReset {
  std::uint16_t stream;
};

// RFC 8831 section 6.2 allows 65535 streams; usrsctp keeps state for each one negotiated.
inline constexpr std::uint16_t kMaxStreams = 256;

enum class SctpState : std::uint8_t { connecting, established, ended };
enum class SendStatus : std::uint8_t { sent, would_block, failed };

// Sans-IO towards its user: packets and messages are polled, nothing calls back. usrsctp's buffers
// bound what waits: a message that isn't polled is not acknowledged for long, and the peer stops.
class SctpAssociation {
 public:
  // Both sides start the association (RFC 8841 section 9.3): its INIT is ready to be polled.
  // Errors: the system's word for what usrsctp refused.
  static tl::expected<std::unique_ptr<SctpAssociation>, std::string> make(SctpStack& stack,
                                                                          SctpOptions options);
  // Sends an ABORT, which may be polled no more; what the peer needs to know DTLS says.
  ~SctpAssociation();
  SctpAssociation(const SctpAssociation&) = delete;
  SctpAssociation& operator=(const SctpAssociation&) = delete;

  // One SCTP packet from the peer.
  void receive(Bytes packet);
  // The next packet for the peer. Poll until empty after every other call and SctpStack::advance().
  std::optional<Buffer> poll_packet();
  // The next message, whole, as long as there is one.
  std::optional<SctpMessage> poll_message();
  std::optional<StreamReset> poll_stream_reset();

  // would_block: try again after the next receive() or advance().
  SendStatus send(const SctpMessage& message, const Reliability& reliability);
  // Resets the outgoing stream, as soon as an earlier reset lets it.
  void reset_stream(std::uint16_t stream);

  [[nodiscard]] SctpState state() const { return state_; }
  [[nodiscard]] std::uint64_t oversized() const { return oversized_; }

 private:
  friend class SctpStack;

  explicit SctpAssociation(SctpOptions options);
  tl::expected<void, std::string> open();
  bool set_option(int option, const void* value, std::size_t size);
  bool subscribe();
  void take_notification(Bytes notification);
  void send_stream_resets();

  SctpOptions options_;
  std::uintptr_t number_;
  struct socket* socket_ = nullptr;
  SctpState state_ = SctpState::connecting;
  std::deque<Buffer> packets_;      // drained after every input; SCTP's congestion window bounds it
  std::deque<StreamReset> resets_;  // at most kMaxStreams
  std::set<std::uint16_t> pending_resets_;
  Buffer partial_;  // of the message that is being read, at most max_message_size
  bool skipping_ = false;
  std::uint64_t oversized_ = 0;
};

}  // namespace sluice::interop::demo
