// usrsctp, whose state belongs to the process, without usrsctp's threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include <sluice/dtls/clock.h>

#include "packet_queue.h"
#include "receive_guard.h"

namespace sluice::data_channel {

// The one object of the process. It is made at the first use and lives as long as the process:
// usrsctp_finish() fails while an association is still being aborted. Each member but lock() wants
// the lock, and so does each call of usrsctp.
class SctpLibrary {
 public:
  // usrsctp's timers have this resolution.
  static constexpr std::chrono::milliseconds kTick{10};

  // Where an association's packets go.
  struct Outlet {
    PacketQueue packets;
    ReceiveGuard guard;
    std::size_t mtu = 0;
    std::uint64_t dropped = 0;    // because the queue was full
    std::uint64_t too_large = 0;  // above `mtu`
    std::uint32_t peer_tag = 0;   // of the last association that was agreed on; 0: none was
    bool has_restarted = false;   // the peer has begun another one, which no read() has told yet
  };

  static SctpLibrary& instance();

  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  // A number by which usrsctp knows the association, until remove(). usrsctp may send for an
  // association that is being closed: it then finds no outlet.
  std::uintptr_t add(Outlet& outlet, dtls::Instant now);
  void remove(std::uintptr_t number);

  // Runs the timers of all associations up to `now`.
  void advance(dtls::Instant now);

 private:
  SctpLibrary();
  static int output(void* number, void* packet, std::size_t size, std::uint8_t tos,
                    std::uint8_t set_df);

  std::mutex mutex_;
  std::map<std::uintptr_t, Outlet*> outlets_;
  std::uintptr_t last_number_ = 0;
  dtls::Instant time_{};  // up to which the timers have run
};

// usrsctp identifies peers by pointers that it never dereferences. Here they hold numbers.
inline void* name_of(std::uintptr_t number) {
  return reinterpret_cast<void*>(number);  // NOLINT(performance-no-int-to-ptr)
}

}  // namespace sluice::data_channel
