#include "demo/sctp_association.h"

#include <arpa/inet.h>
#include <usrsctp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace sluice::interop::demo {
namespace {

// Each buffer holds a message of the largest size, so usrsctp can take an echo with one call.
constexpr int kSocketBuffer = 2 * 262144;
// RFC 9260 section 3.1. usrsctp's path MTU doesn't count it where there is no IP header.
constexpr std::size_t kCommonHeader = 12;
// usrsctp_finish() fails while an association is still being aborted; so many attempts are more
// than enough.
constexpr int kFinishAttempts = 100;

// usrsctp identifies peers by pointers that it never dereferences. Here they hold numbers.
void* name_of(std::uintptr_t number) {
  return reinterpret_cast<void*>(number);  // NOLINT(performance-no-int-to-ptr)
}

sockaddr_conn address(std::uintptr_t number, std::uint16_t port) {
  sockaddr_conn result{};
  result.sconn_family = AF_CONN;
  result.sconn_port = htons(port);
  result.sconn_addr = name_of(number);
  return result;
}

std::string last_error() { return std::generic_category().message(errno); }

}  // namespace

// ---- SctpStack

SctpStack::SctpStack() {
  usrsctp_init_nothreads(0, &SctpStack::output, nullptr);
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

SctpStack::~SctpStack() {
  for (int i = 0; i < kFinishAttempts && usrsctp_finish() != 0; ++i) {
    usrsctp_handle_timers(static_cast<std::uint32_t>(kTick.count()));
  }
}

void SctpStack::advance(std::chrono::milliseconds elapsed) {
  usrsctp_handle_timers(static_cast<std::uint32_t>(elapsed.count()));
}

std::map<std::uintptr_t, SctpAssociation*>& SctpStack::associations() {
  static std::map<std::uintptr_t, SctpAssociation*> map;
  return map;
}

int SctpStack::output(void* number, void* packet, std::size_t size, std::uint8_t /*tos*/,
                      std::uint8_t /*set_df*/) {
  const auto found = associations().find(reinterpret_cast<std::uintptr_t>(number));
  if (found == associations().end()) return EHOSTUNREACH;
  const auto* bytes = static_cast<const std::byte*>(packet);
  found->second->packets_.emplace_back(bytes, bytes + size);
  return 0;
}

// ---- SctpAssociation

tl::expected<std::unique_ptr<SctpAssociation>, std::string> SctpAssociation::make(
    SctpStack& /*stack*/, SctpOptions options) {
  std::unique_ptr<SctpAssociation> association{new SctpAssociation(options)};
  if (auto opened = association->open(); !opened) {
    return tl::unexpected(std::move(opened.error()));
  }
  return association;
}

SctpAssociation::SctpAssociation(SctpOptions options) : options_(options) {
  static std::uintptr_t last_number = 0;
  number_ = ++last_number;
  SctpStack::associations().emplace(number_, this);
  usrsctp_register_address(name_of(number_));
}

SctpAssociation::~SctpAssociation() {
  SctpStack::associations().erase(number_);
  if (socket_ != nullptr) usrsctp_close(socket_);
  usrsctp_deregister_address(name_of(number_));
}

bool SctpAssociation::set_option(int option, const void* value, std::size_t size) {
  return usrsctp_setsockopt(socket_, IPPROTO_SCTP, option, value, static_cast<socklen_t>(size)) ==
         0;
}

bool SctpAssociation::subscribe() {
  for (const int type : {SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_PARTIAL_DELIVERY_EVENT}) {
    sctp_event event{};
    event.se_assoc_id = SCTP_FUTURE_ASSOC;
    event.se_type = static_cast<std::uint16_t>(type);
    event.se_on = 1;
    if (!set_option(SCTP_EVENT, &event, sizeof event)) return false;
  }
  return true;
}

tl::expected<void, std::string> SctpAssociation::open() {
  const auto refused = [](const char* what) {
    return tl::unexpected(std::string{what} + ": " + last_error());
  };
  socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (socket_ == nullptr) return refused("SCTP socket");

  const linger abort_at_close{.l_onoff = 1, .l_linger = 0};
  const int on = 1;
  const int buffer = kSocketBuffer;
  // Partial deliveries of different streams are not interleaved (RFC 6458 section 8.1.20), so one
  // buffer can reassemble messages.
  const int no_interleave = 0;
  sctp_assoc_value resets{};
  resets.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;
  sctp_initmsg streams{};
  streams.sinit_num_ostreams = kMaxStreams;
  streams.sinit_max_instreams = kMaxStreams;
  const auto set_socket_option = [this](int option, const auto& value) {
    return usrsctp_setsockopt(socket_, SOL_SOCKET, option, &value, sizeof value) == 0;
  };
  if (usrsctp_set_non_blocking(socket_, 1) != 0 || !set_socket_option(SO_LINGER, abort_at_close) ||
      !set_socket_option(SO_SNDBUF, buffer) || !set_socket_option(SO_RCVBUF, buffer) ||
      !set_option(SCTP_NODELAY, &on, sizeof on) || !set_option(SCTP_RECVRCVINFO, &on, sizeof on) ||
      !set_option(SCTP_FRAGMENT_INTERLEAVE, &no_interleave, sizeof no_interleave) ||
      !set_option(SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets) ||
      !set_option(SCTP_INITMSG, &streams, sizeof streams) || !subscribe()) {
    return refused("SCTP option");
  }

  auto local = address(number_, options_.local_port);
  auto remote = address(number_, options_.remote_port);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) {
    return refused("SCTP bind");
  }
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&remote), sizeof remote) != 0 &&
      errno != EINPROGRESS) {
    return refused("SCTP connect");
  }
  sctp_paddrparams path{};
  std::memcpy(&path.spp_address, &remote, sizeof remote);
  path.spp_flags = SPP_PMTUD_DISABLE;
  path.spp_pathmtu = static_cast<std::uint32_t>(options_.mtu - kCommonHeader);
  if (!set_option(SCTP_PEER_ADDR_PARAMS, &path, sizeof path)) return refused("SCTP path MTU");
  return {};
}

// NOLINTNEXTLINE(readability-make-member-function-const): it changes usrsctp's state
void SctpAssociation::receive(Bytes packet) {
  usrsctp_conninput(name_of(number_), packet.data(), packet.size(), 0);
}

std::optional<Buffer> SctpAssociation::poll_packet() {
  if (packets_.empty()) return std::nullopt;
  Buffer packet = std::move(packets_.front());
  packets_.pop_front();
  return packet;
}

std::optional<StreamReset> SctpAssociation::poll_stream_reset() {
  if (resets_.empty()) return std::nullopt;
  const auto reset = resets_.front();
  resets_.pop_front();
  return reset;
}

std::optional<SctpMessage> SctpAssociation::poll_message() {
  std::array<std::byte, 16384> part{};
  while (true) {
    sctp_rcvinfo info{};
    socklen_t info_size = sizeof info;
    unsigned info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    const auto size = usrsctp_recvv(socket_, part.data(), part.size(), nullptr, nullptr, &info,
                                    &info_size, &info_type, &flags);
    if (size <= 0) return std::nullopt;
    const Bytes received = Bytes{part}.first(static_cast<std::size_t>(size));
    if ((flags & MSG_NOTIFICATION) != 0) {
      take_notification(received);
      continue;
    }
    if (partial_.size() + received.size() > options_.max_message_size) skipping_ = true;
    if (!skipping_) append(partial_, received);
    if ((flags & MSG_EOR) == 0) continue;

    Buffer data = std::exchange(partial_, {});
    if (std::exchange(skipping_, false)) {
      ++oversized_;
      continue;
    }
    if (info_type != SCTP_RECVV_RCVINFO) continue;
    return SctpMessage{.stream = info.rcv_sid,
                       .protocol = PayloadProtocol{ntohl(info.rcv_ppid)},
                       .data = std::move(data)};
  }
}

void SctpAssociation::take_notification(Bytes notification) {
  sctp_notification::sctp_tlv header{};
  if (notification.size() < sizeof header) return;
  std::memcpy(&header, notification.data(), sizeof header);
  if (header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    // The sender has abandoned the rest of the message (RFC 3758).
    partial_.clear();
    skipping_ = false;
  } else if (header.sn_type == SCTP_ASSOC_CHANGE) {
    sctp_assoc_change change{};
    if (notification.size() < sizeof change) return;
    std::memcpy(&change, notification.data(), sizeof change);
    const bool up = change.sac_state == SCTP_COMM_UP || change.sac_state == SCTP_RESTART;
    state_ = up ? SctpState::established : SctpState::ended;
  } else if (header.sn_type == SCTP_STREAM_RESET_EVENT) {
    send_stream_resets();  // one may have waited for this
    if ((header.sn_flags & SCTP_STREAM_RESET_INCOMING_SSN) == 0) return;
    for (std::size_t offset = sizeof(sctp_stream_reset_event);
         offset + 2 <= notification.size() && resets_.size() < kMaxStreams; offset += 2) {
      std::uint16_t stream = 0;
      std::memcpy(&stream, notification.data() + offset, sizeof stream);
      resets_.push_back({stream});
    }
  }
}

SendStatus SctpAssociation::send(const SctpMessage& message, const Reliability& reliability) {
  if (state_ != SctpState::established) {
    return state_ == SctpState::connecting ? SendStatus::would_block : SendStatus::failed;
  }
  sctp_sendv_spa how{};
  how.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  how.sendv_sndinfo.snd_sid = message.stream;
  how.sendv_sndinfo.snd_ppid = htonl(static_cast<std::uint32_t>(message.protocol));
  if (!reliability.ordered) how.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
  if (reliability.policy != Reliability::Policy::reliable) {
    how.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    how.sendv_prinfo.pr_policy = reliability.policy == Reliability::Policy::max_retransmits
                                     ? SCTP_PR_SCTP_RTX
                                     : SCTP_PR_SCTP_TTL;
    how.sendv_prinfo.pr_value = reliability.limit;
  }
  const auto sent = usrsctp_sendv(socket_, message.data.data(), message.data.size(), nullptr, 0,
                                  &how, sizeof how, SCTP_SENDV_SPA, 0);
  if (sent >= 0) return SendStatus::sent;
  return errno == EWOULDBLOCK || errno == EAGAIN ? SendStatus::would_block : SendStatus::failed;
}

void SctpAssociation::reset_stream(std::uint16_t stream) {
  pending_resets_.insert(stream);
  send_stream_resets();
}

// RFC 6525 section 5.1.2 allows one outstanding request. Until it is answered usrsctp fails with
// EINPROGRESS or EALREADY.
void SctpAssociation::send_stream_resets() {
  if (pending_resets_.empty()) return;
  const std::vector<std::uint16_t> streams(pending_resets_.begin(), pending_resets_.end());
  std::vector<std::byte> request(sizeof(sctp_reset_streams) +
                                 streams.size() * sizeof(std::uint16_t));
  sctp_reset_streams head{};
  head.srs_assoc_id = SCTP_ALL_ASSOC;
  head.srs_flags = SCTP_STREAM_RESET_OUTGOING;
  head.srs_number_streams = static_cast<std::uint16_t>(streams.size());
  std::memcpy(request.data(), &head, sizeof head);
  std::memcpy(request.data() + sizeof head, streams.data(), streams.size() * sizeof(std::uint16_t));
  if (set_option(SCTP_RESET_STREAMS, request.data(), request.size())) pending_resets_.clear();
}

}  // namespace sluice::interop::demo
