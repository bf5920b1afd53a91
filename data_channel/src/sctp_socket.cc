#include "sctp_socket.h"

#include <arpa/inet.h>
#include <usrsctp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "chunks.h"

namespace sluice::data_channel {
namespace {

constexpr std::size_t kReadSize = 16384;
// RTO.Initial and RTO.Min of RFC 9260 section 16.
constexpr std::uint32_t kRtoMilliseconds = 1000;
// The back-off of DTLS stops here, too (decisions 6 and 24).
constexpr std::uint32_t kMaxRtoMilliseconds = 4000;
// An INIT that is held back is not sent again: repeats would count as errors of the path.
constexpr std::uint32_t kWaitMilliseconds = 24 * 3600 * 1000;
constexpr std::uint16_t kUnlimitedAttempts = 0xffff;

sockaddr_conn address(std::uintptr_t number, std::uint16_t port) {
  sockaddr_conn result{};
  result.sconn_family = AF_CONN;
  result.sconn_port = htons(port);
  result.sconn_addr = name_of(number);
  return result;
}

tl::unexpected<Error> refused(std::string_view step) {
  return tl::unexpected(Error{.code = Errc::library_failure, .detail = step});
}

// usrsctp's structures, which may not be aligned where they stand. False: `bytes` is shorter.
template <class Structure>
bool load(Structure& structure, Bytes bytes) {
  if (bytes.size() < sizeof structure) return false;
  std::memcpy(&structure, bytes.data(), sizeof structure);
  return true;
}

}  // namespace

SctpSocket::SctpSocket(const Options& options, dtls::Instant now)
    : options_(options),
      outlet_{.packets = {}, .guard = ReceiveGuard{options.receive_buffer}, .mtu = options.mtu},
      number_(SctpLibrary::instance().add(outlet_, now)),
      part_(kReadSize) {}

SctpSocket::~SctpSocket() {
  // Packets that usrsctp still sends for it are dropped.
  SctpLibrary::instance().remove(number_);
  if (socket_ != nullptr) usrsctp_close(socket_);
}

bool SctpSocket::set_option(int option, const void* value, std::size_t size) {
  return usrsctp_setsockopt(socket_, IPPROTO_SCTP, option, value, static_cast<socklen_t>(size)) ==
         0;
}

bool SctpSocket::subscribe() {
  return std::ranges::all_of(
      std::array{SCTP_ASSOC_CHANGE, SCTP_STREAM_RESET_EVENT, SCTP_PARTIAL_DELIVERY_EVENT},
      [this](int type) {
        sctp_event event{};
        event.se_assoc_id = SCTP_FUTURE_ASSOC;
        event.se_type = static_cast<std::uint16_t>(type);
        event.se_on = 1;
        return set_option(SCTP_EVENT, &event, sizeof event);
      });
}

bool SctpSocket::set_options() {
  const linger abort_at_close{.l_onoff = 1, .l_linger = 0};
  const int on = 1;
  const int send_buffer = static_cast<int>(options_.send_buffer);
  const int receive_buffer = static_cast<int>(options_.receive_buffer);
  // Partial deliveries of different streams are not interleaved (RFC 6458 section 8.1.20), so one
  // buffer can reassemble messages.
  const int no_interleave = 0;
  sctp_assoc_value resets{};
  resets.assoc_value = SCTP_ENABLE_RESET_STREAM_REQ;
  sctp_initmsg init{};
  init.sinit_num_ostreams = options_.max_channels;
  init.sinit_max_instreams = options_.max_channels;
  if (options_.wait_for_start) init.sinit_max_attempts = kUnlimitedAttempts;
  const auto set_socket_option = [this](int option, const auto& value) {
    return usrsctp_setsockopt(socket_, SOL_SOCKET, option, &value, sizeof value) == 0;
  };
  return usrsctp_set_non_blocking(socket_, 1) == 0 &&
         set_socket_option(SO_LINGER, abort_at_close) &&
         set_socket_option(SO_SNDBUF, send_buffer) &&
         set_socket_option(SO_RCVBUF, receive_buffer) && set_option(SCTP_NODELAY, &on, sizeof on) &&
         set_option(SCTP_RECVRCVINFO, &on, sizeof on) &&
         set_option(SCTP_FRAGMENT_INTERLEAVE, &no_interleave, sizeof no_interleave) &&
         set_option(SCTP_ENABLE_STREAM_RESET, &resets, sizeof resets) &&
         set_option(SCTP_INITMSG, &init, sizeof init) && set_timeouts(options_.wait_for_start) &&
         subscribe();
}

bool SctpSocket::set_timeouts(bool waiting) {
  sctp_rtoinfo rto{};
  rto.srto_initial = waiting ? kWaitMilliseconds : kRtoMilliseconds;
  rto.srto_min = kRtoMilliseconds;
  rto.srto_max = waiting ? kWaitMilliseconds : kMaxRtoMilliseconds;
  return set_option(SCTP_RTOINFO, &rto, sizeof rto);
}

bool SctpSocket::end_wait() { return set_timeouts(false); }

// usrsctp's path MTU doesn't count the common header where there is no IP header. No path MTU
// discovery, and no heartbeats: ICE's consent checks tell whether the peer is there.
bool SctpSocket::set_path() {
  const auto remote = address(number_, options_.remote_port);
  sctp_paddrparams path{};
  std::memcpy(&path.spp_address, &remote, sizeof remote);
  path.spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE;
  path.spp_pathmtu = static_cast<std::uint32_t>(options_.mtu - kCommonHeader);
  return set_option(SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
}

Result<void> SctpSocket::connect() {
  socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (socket_ == nullptr) return refused("usrsctp_socket");
  if (!set_options()) return refused("usrsctp_setsockopt");
  auto local = address(number_, options_.local_port);
  auto remote = address(number_, options_.remote_port);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) {
    return refused("usrsctp_bind");
  }
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&remote), sizeof remote) != 0 &&
      errno != EINPROGRESS) {
    return refused("usrsctp_connect");
  }
  if (!set_path()) return refused("SCTP_PEER_ADDR_PARAMS");
  return {};
}

// NOLINTNEXTLINE(readability-make-member-function-const): it changes usrsctp's state
bool SctpSocket::receive(Bytes packet) {
  if (!outlet_.guard.admits(packet)) return false;
  usrsctp_conninput(name_of(number_), packet.data(), packet.size(), 0);
  return true;
}

void SctpSocket::abort() {
  if (socket_ == nullptr) return;
  usrsctp_close(socket_);
  socket_ = nullptr;
}

std::optional<SctpInput> SctpSocket::read() {
  if (std::exchange(complete_, false)) message_.clear();
  while (socket_ != nullptr) {
    sctp_rcvinfo info{};
    socklen_t info_size = sizeof info;
    unsigned info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    const auto size = usrsctp_recvv(socket_, part_.data(), part_.size(), nullptr, nullptr, &info,
                                    &info_size, &info_type, &flags);
    if (size <= 0) break;
    const Bytes received = Bytes{part_}.first(static_cast<std::size_t>(size));
    if ((flags & MSG_NOTIFICATION) != 0) {
      if (auto input = take_notification(received)) return input;
      continue;
    }
    const auto protocol =
        info_type == SCTP_RECVV_RCVINFO ? PayloadProtocol{ntohl(info.rcv_ppid)} : PayloadProtocol{};
    // The limit is of users' messages (RFC 8841 section 6).
    const std::size_t limit = protocol == PayloadProtocol::dcep
                                  ? std::max(options_.max_message_size, kMaxChannelOpen)
                                  : options_.max_message_size;
    if (message_.size() + received.size() > limit) skipping_ = true;
    if (!skipping_) append(message_, received);
    if ((flags & MSG_EOR) == 0) continue;
    complete_ = true;
    if (std::exchange(skipping_, false)) return SctpOversized{};
    return SctpMessage{.stream = info.rcv_sid, .protocol = protocol, .data = message_};
  }
  // usrsctp waits for the rest of a message that the peer has forgotten, and gives nothing behind
  // it, not even that the peer has restarted.
  const bool is_in_a_message = skipping_ || !message_.empty();
  if (outlet_.has_restarted && is_in_a_message) return SctpDown{.timeout = false};
  return std::nullopt;
}

// usrsctp leaves the socket an error: ECONNRESET or ECONNREFUSED after an ABORT of the peer.
bool SctpSocket::timed_out() const {
  int error = 0;
  socklen_t size = sizeof error;
  return usrsctp_getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
         (error == ETIMEDOUT || error == ECONNABORTED);
}

std::optional<SctpInput> SctpSocket::take_notification(Bytes notification) {
  sctp_notification::sctp_tlv header{};
  if (!load(header, notification)) return std::nullopt;
  if (header.sn_type == SCTP_PARTIAL_DELIVERY_EVENT) {
    // The sender has abandoned the rest of the message (RFC 3758).
    message_.clear();
    skipping_ = false;
    return std::nullopt;
  }
  if (header.sn_type == SCTP_ASSOC_CHANGE) {
    sctp_assoc_change change{};
    if (!load(change, notification)) return std::nullopt;
    if (change.sac_state == SCTP_COMM_UP || change.sac_state == SCTP_RESTART) {
      outlet_.has_restarted = false;
      return SctpUp{.streams = std::min(change.sac_outbound_streams, change.sac_inbound_streams)};
    }
    return SctpDown{.timeout = timed_out()};
  }
  if (header.sn_type != SCTP_STREAM_RESET_EVENT) return std::nullopt;
  streams_.clear();
  for (std::size_t offset = sizeof(sctp_stream_reset_event); offset + 2 <= notification.size();
       offset += 2) {
    std::uint16_t stream = 0;
    if (load(stream, notification.subspan(offset))) streams_.push_back(stream);
  }
  return SctpReset{
      .incoming = (header.sn_flags & SCTP_STREAM_RESET_INCOMING_SSN) != 0,
      .refused = (header.sn_flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0,
      .streams = streams_};
}

SctpSend SctpSocket::send(std::uint16_t stream, PayloadProtocol protocol, Bytes data,
                          const Delivery& how) {
  if (socket_ == nullptr) return SctpSend::failed;
  sctp_sendv_spa options{};
  options.sendv_flags = SCTP_SEND_SNDINFO_VALID;
  options.sendv_sndinfo.snd_sid = stream;
  options.sendv_sndinfo.snd_ppid = htonl(static_cast<std::uint32_t>(protocol));
  if (!how.ordered) options.sendv_sndinfo.snd_flags |= SCTP_UNORDERED;
  if (how.max_retransmits || how.max_lifetime) {
    options.sendv_flags |= SCTP_SEND_PRINFO_VALID;
    options.sendv_prinfo.pr_policy = how.max_retransmits ? SCTP_PR_SCTP_RTX : SCTP_PR_SCTP_TTL;
    options.sendv_prinfo.pr_value = how.max_retransmits ? *how.max_retransmits : *how.max_lifetime;
  }
  const auto sent = usrsctp_sendv(socket_, data.data(), data.size(), nullptr, 0, &options,
                                  sizeof options, SCTP_SENDV_SPA, 0);
  if (sent >= 0) return SctpSend::sent;
  return errno == EWOULDBLOCK || errno == EAGAIN ? SctpSend::would_block : SctpSend::failed;
}

SctpResetRequest SctpSocket::reset(std::span<const std::uint16_t> streams) {
  if (socket_ == nullptr) return SctpResetRequest::later;
  std::vector<std::byte> request(sizeof(sctp_reset_streams) + streams.size_bytes());
  sctp_reset_streams head{};
  head.srs_assoc_id = SCTP_ALL_ASSOC;
  head.srs_flags = SCTP_STREAM_RESET_OUTGOING;
  head.srs_number_streams = static_cast<std::uint16_t>(streams.size());
  std::memcpy(request.data(), &head, sizeof head);
  std::memcpy(request.data() + sizeof head, streams.data(), streams.size_bytes());
  if (set_option(SCTP_RESET_STREAMS, request.data(), request.size())) return SctpResetRequest::made;
  const bool is_final = errno == EOPNOTSUPP || errno == EINVAL;
  return is_final ? SctpResetRequest::impossible : SctpResetRequest::later;
}

SctpFigures SctpSocket::figures() const {
  SctpFigures figures;
  sctp_status status{};
  socklen_t size = sizeof status;
  if (socket_ == nullptr ||
      usrsctp_getsockopt(socket_, IPPROTO_SCTP, SCTP_STATUS, &status, &size) != 0) {
    return figures;
  }
  figures.established = status.sstat_state == SCTP_ESTABLISHED;
  figures.active = status.sstat_unackdata > 0 || status.sstat_penddata > 0;
  if (status.sstat_primary.spinfo_srtt > 0) {
    figures.rtt = std::chrono::milliseconds{status.sstat_primary.spinfo_srtt};
  }
  figures.congestion_window = status.sstat_primary.spinfo_cwnd;
  figures.peer_window = status.sstat_rwnd;
  return figures;
}

}  // namespace sluice::data_channel
