#include "sctp_library.h"

#include <usrsctp.h>

#include <cerrno>

#include "chunks.h"

namespace sluice::data_channel {
namespace {

// A packet to the peer has its tag, and these chunks end a handshake.
void note_restart(SctpLibrary::Outlet& outlet, Bytes packet) {
  for_each_chunk(packet, [&](ChunkType type, Bytes /*value*/) {
    if (type != ChunkType::cookie_echo && type != ChunkType::cookie_ack) return;
    const std::uint32_t tag = load_u32(packet, kTagOffset);
    outlet.has_restarted |= outlet.peer_tag != 0 && outlet.peer_tag != tag;
    outlet.peer_tag = tag;
  });
}

}  // namespace

SctpLibrary& SctpLibrary::instance() {
  static auto* const kLibrary = new SctpLibrary;  // never destroyed: see the class
  return *kLibrary;
}

SctpLibrary::SctpLibrary() {
  usrsctp_init_nothreads(0, &SctpLibrary::output, nullptr);
  // RFC 8831 section 5 needs partial reliability and stream resets. The other extensions are
  // useless over DTLS, where there is one address and packets are authenticated.
  usrsctp_sysctl_set_sctp_pr_enable(1);
  usrsctp_sysctl_set_sctp_reconfig_enable(1);
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
  // RFC 9260 section 16: the initial RTO is 1 s. usrsctp's default is 3 s (RFC 4960). It delays the
  // association when an INIT is lost.
  usrsctp_sysctl_set_sctp_rto_initial_default(1000);
  usrsctp_sysctl_set_sctp_init_rto_max_default(4000);
}

std::uintptr_t SctpLibrary::add(Outlet& outlet, dtls::Instant now) {
  // The clock is that of the associations: the first one sets it anew.
  if (outlets_.empty()) time_ = now;
  const std::uintptr_t number = ++last_number_;
  outlets_.emplace(number, &outlet);
  usrsctp_register_address(name_of(number));
  return number;
}

void SctpLibrary::remove(std::uintptr_t number) {
  usrsctp_deregister_address(name_of(number));
  outlets_.erase(number);
}

void SctpLibrary::advance(dtls::Instant now) {
  const auto elapsed = std::chrono::floor<std::chrono::milliseconds>(now - time_);
  if (elapsed <= std::chrono::milliseconds::zero()) return;
  time_ += elapsed;
  usrsctp_handle_timers(static_cast<std::uint32_t>(elapsed.count()));
}

int SctpLibrary::output(void* number, void* packet, std::size_t size, std::uint8_t /*tos*/,
                        std::uint8_t /*set_df*/) {
  SctpLibrary& library = instance();
  const auto found = library.outlets_.find(reinterpret_cast<std::uintptr_t>(number));
  if (found == library.outlets_.end()) return EHOSTUNREACH;
  const Bytes bytes{static_cast<const std::byte*>(packet), size};
  Outlet& outlet = *found->second;
  outlet.guard.on_sent(bytes);
  note_restart(outlet, bytes);
  // usrsctp's answers to INITs and errors repeat what they answer, up to three times.
  if (size > outlet.mtu) {
    ++outlet.too_large;
  } else if (!outlet.packets.push(bytes)) {
    ++outlet.dropped;
  }
  return 0;
}

}  // namespace sluice::data_channel
