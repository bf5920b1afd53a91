// Devices with connection IDs, and what a server's Endpoint keeps of their sessions: made once,
// since handshakes cost more than the inputs of a fuzz target.
#pragma once

#include <sluice/dtls/endpoint.h>

#include <array>
#include <deque>
#include <set>

#include "support/bytes.h"

namespace sluice::fuzz {

inline constexpr unsigned kDevices = 3;

// One session, as both of its sides have left it.
struct SleepingSession {
  dtls::Buffer client;
  dtls::Buffer server;
};

struct SleepingDevices {
  dtls::ConfigPtr server;
  std::array<dtls::ConfigPtr, kDevices> clients;
  std::array<SleepingSession, kDevices> sessions;
};

// Randomness starts over with each call.
dtls::Environment& fresh_environment();
// The second device speaks DTLS 1.3, the others 1.2. All IDs are of one byte, so that an input
// finds them.
const SleepingDevices& sleeping_devices(dtls::ReturnRoutability kind);
// A device that is awake.
class Device {
 public:
  // The client of that session.
  Device(const SleepingDevices& devices, unsigned number, dtls::Instant now);

  [[nodiscard]] dtls::Connection& connection() { return connection_; }
  [[nodiscard]] const dtls::Connection& connection() const { return connection_; }

  // Seals data that nobody has sent before, if there is room for another datagram.
  void send();
  // One of the datagrams that were sent; it may stay, to be given out again. Empty: there is none.
  dtls::Buffer take_sent(std::size_t which, bool stays);
  void drop_sent() { sent_.clear(); }
  // What the server has sent waits here.
  void queue_answer(dtls::Buffer datagram);
  void receive_answers(dtls::Instant now);
  // The server has received this: it was sent. False: not for the first time.
  bool on_delivered(dtls::Bytes data);
  [[nodiscard]] std::size_t delivered() const { return delivered_.size(); }

 private:
  static constexpr std::size_t kMaxWaiting = 16;

  dtls::Connection connection_;
  std::byte name_;
  unsigned serial_ = 0;
  std::deque<dtls::Buffer> sent_;
  std::deque<dtls::Buffer> answers_;
  std::set<dtls::Buffer> said_;
  std::set<dtls::Buffer> delivered_;
};

// Where devices may be; there are four such paths.
inline constexpr unsigned kAddresses = 4;
dtls::UdpPath device_path(unsigned number);

}  // namespace sluice::fuzz
