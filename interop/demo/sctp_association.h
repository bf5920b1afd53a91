// SCTP associations over DTLS (RFC 8261) on usrsctp. Only this file and its source use usrsctp.
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

// usrsctp's state, which belongs to the process, without usrsctp's threads. There is at most one
// object at a time. One thread uses it and its associations, which it outlives. Timers run in
// advance() only.
class SctpStack {
 public:
  SctpStack();
  ~SctpStack();
  SctpStack(const SctpStack&) = delete;
  SctpStack& operator=(const SctpStack&) = delete;

  // Runs the timers of all associations; poll them afterwards. usrsctp's timers have ticks of 10
  // ms.
  static constexpr std::chrono::milliseconds kTick{10};
  void advance(std::chrono::milliseconds elapsed);

 private:
  friend class SctpAssociation;

  // usrsctp may send for an association that is being closed. It identifies associations by a
  // number that is looked up, so it can't use an address that is no longer valid.
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

// The peer has reset its outgoing stream (RFC 6525), which closes the channel (RFC 8831 section
// 6.7).
struct StreamReset {
  std::uint16_t stream;
};

// RFC 8831 section 6.2 recommends 65535 streams. Here they are fewer, because usrsctp keeps state
// for each one.
inline constexpr std::uint16_t kMaxStreams = 256;

enum class SctpState : std::uint8_t { connecting, established, ended };
enum class SendStatus : std::uint8_t { sent, would_block, failed };

// Packets and messages are polled; there are no callbacks. usrsctp's buffers limit what waits:
// while messages are not polled, the receive window closes and the peer stops.
class SctpAssociation {
 public:
  // Starts the association, as both sides do (RFC 8841 section 9.3); poll_packet() then returns its
  // INIT. The error names the step that failed and the system's reason.
  static tl::expected<std::unique_ptr<SctpAssociation>, std::string> make(SctpStack& stack,
                                                                          SctpOptions options);
  // Aborts the association. The ABORT can't be polled any more: DTLS's close_notify informs the
  // peer.
  ~SctpAssociation();
  SctpAssociation(const SctpAssociation&) = delete;
  SctpAssociation& operator=(const SctpAssociation&) = delete;

  // Takes one SCTP packet from the peer.
  void receive(Bytes packet);
  // The next packet for the peer. Poll until empty after every other call and SctpStack::advance().
  std::optional<Buffer> poll_packet();
  // The next complete message. Empty: none has arrived.
  std::optional<SctpMessage> poll_message();
  std::optional<StreamReset> poll_stream_reset();

  // would_block: try again after the next receive() or advance().
  SendStatus send(const SctpMessage& message, const Reliability& reliability);
  // Resets the outgoing stream, once an earlier reset is complete.
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
  std::deque<Buffer> packets_;      // drained after every input; limited by the congestion window
  std::deque<StreamReset> resets_;  // at most kMaxStreams
  std::set<std::uint16_t> pending_resets_;
  Buffer partial_;  // of the message that is being read, at most max_message_size
  bool skipping_ = false;
  std::uint64_t oversized_ = 0;
};

}  // namespace sluice::interop::demo
