#include "demo/echo_session.h"

#include <algorithm>
#include <array>
#include <iostream>

#include "common/clock.h"
#include "common/random_numbers.h"
#include "common/sdp/data_section.h"
#include "demo/statistics_json.h"

namespace sluice::interop::demo {
namespace {

// One SSRC per section. RTCP needs them to be different and not 0.
std::vector<std::uint32_t> distinct_ssrcs(std::size_t count) {
  std::vector<std::uint32_t> ssrcs;
  while (ssrcs.size() < count) {
    const auto ssrc = common::random_u32();
    if (ssrc != 0 && std::ranges::find(ssrcs, ssrc) == ssrcs.end()) ssrcs.push_back(ssrc);
  }
  return ssrcs;
}

}  // namespace

std::string_view to_string(SessionState state) {
  constexpr std::array<std::string_view, 3> kNames = {"connecting", "connected", "ended"};
  return kNames.at(static_cast<std::size_t>(state));
}

SdpResult<std::unique_ptr<EchoSession>> EchoSession::make(std::string id, Offer offer,
                                                          SessionOptions options,
                                                          const Shared& shared, AnswerReady ready) {
  auto ssrcs = distinct_ssrcs(offer.sections.size());
  std::unique_ptr<EchoSession> session{new EchoSession(std::move(id), std::move(offer),
                                                       std::move(options), shared, std::move(ready),
                                                       std::move(ssrcs))};
  if (auto opened = session->open(); !opened) return tl::unexpected(std::move(opened.error()));
  return session;
}

EchoSession::EchoSession(std::string id, Offer offer, SessionOptions options, const Shared& shared,
                         AnswerReady ready, std::vector<std::uint32_t> ssrcs)
    : id_(std::move(id)),
      offer_(std::move(offer)),
      options_(std::move(options)),
      shared_(shared),
      ready_(std::move(ready)),
      start_(common::now()),
      ssrcs_(std::move(ssrcs)),
      media_(echo_streams()) {}

EchoSession::~EchoSession() = default;

std::vector<EchoStreamOptions> EchoSession::echo_streams() const {
  std::vector<EchoStreamOptions> streams;
  for (std::size_t i = 0; i < offer_.sections.size(); ++i) {
    const auto& section = offer_.sections[i];
    if (!section.accepted() || !section.is_rtp()) continue;
    std::optional<rtp::ExtensionId> mid_extension;
    if (section.mid_extension) mid_extension = rtp::ExtensionId{*section.mid_extension};
    streams.push_back({.mid = section.mid,
                       .mid_extension = mid_extension,
                       .payload_type = rtp::PayloadType{section.codec.payload_type},
                       .clock_rate = section.codec.clock_rate,
                       .own_ssrc = rtp::Ssrc{ssrcs_[i]},
                       .send = answer_direction(section.direction) == Direction::sendrecv});
  }
  return streams;
}

SdpResult<void> EchoSession::open() {
  CallOptions call{.dtls = options_.dtls, .setup = options_.setup};
  if (!offers()) {
    call.offer = offer_.transport;
    call.offer_is_lite = offer_.ice_lite;
    call.dtls_in_stun = offer_.dtls_in_stun;
  }
  auto transport = shared_.transports.open(call, *this);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  transport_ = *std::move(transport);
  // The SDP tells its INIT.
  const auto* data = data_section(offer_);
  if (data != nullptr && (offers() || !data->sctp_init.empty())) make_channels(*data, true);
  return {};
}

SdpResult<void> EchoSession::take_answer(Offer answer) {
  std::string fault = fault_of_answer(answer);
  if (!offers() || !transport_) fault = "The session waits for no answer.";
  if (!fault.empty()) return tl::unexpected(SdpError{std::move(fault)});
  if (auto set = transport_->set_answer(answer.transport); !set) return set;
  const bool is_client = answer.transport.setup == Setup::passive;
  options_.setup = is_client ? Setup::active : Setup::passive;
  const auto offered_port = offer_.sections.front().sctp_port;
  offer_ = std::move(answer);
  const auto& section = offer_.sections.front();
  if (!channels_) return {};
  if (section.accepted() && section.sctp_port == offered_port) {
    channels_->set_peer(own_role(), section.max_message_size);
  } else {
    channels_.reset();
  }
  return {};
}

void EchoSession::end(std::string_view reason) {
  if (state_ == SessionState::ended) return;
  state_ = SessionState::ended;
  ended_at_ = common::now();
  final_statistics_ = write_statistics(reason);
  channels_.reset();
  transport_.reset();
  log("ended, " + std::string{reason});
}

void EchoSession::check_deadline(dtls::Instant now) {
  if (state_ == SessionState::connecting && now - start_ > options_.connect_timeout) {
    end("not connected in time");
  }
}

std::string EchoSession::statistics() const {
  return state_ == SessionState::ended ? final_statistics_ : write_statistics({});
}

std::string EchoSession::write_statistics(std::string_view reason) const {
  return session_statistics_json({.id = id_,
                                  .state = to_string(state_),
                                  .reason = reason,
                                  .age = common::now() - start_,
                                  .times = times_,
                                  .transport = transport_.get(),
                                  .media = media_.statistics(),
                                  .channels = channels_ ? &*channels_ : nullptr});
}

void EchoSession::log(const std::string& text) const {
  std::clog << "session " + id_.substr(0, 8) + ": " + text + "\n" << std::flush;
}

void EchoSession::mark(std::optional<dtls::Duration>& time) const {
  if (!time) time = common::now() - start_;
}

// ---- events of the transport

void EchoSession::answer_if_ready() {
  if (transport_ && transport_->description_ready()) on_description_ready();
}

void EchoSession::on_description_ready() {
  if (!ready_) return;
  const std::uint64_t session_id =
      std::uint64_t{common::random_u32()} << 31 | common::random_u32() >> 1;
  const auto sdp = write_answer(offer_, transport_->local_description(),
                                {.session_id = session_id,
                                 .ice_lite = transport_->is_ice_lite(),
                                 .dtls_in_stun = transport_->is_ice_lite() && offer_.dtls_in_stun,
                                 .ssrcs = ssrcs_,
                                 .max_message_size = kMaxMessageSize,
                                 .sctp_init = channels_ ? channels_->local_init() : Bytes{}});
  std::exchange(ready_, nullptr)(sdp);
}

void EchoSession::on_path() { mark(times_.ice); }

void EchoSession::on_connected(const dtls::ConnectionInfo& info) {
  mark(times_.dtls);
  state_ = SessionState::connected;
  log("connected, " + std::string{dtls::to_string(info.version)} + ", " +
      std::string{dtls::to_string(info.cipher_suite)});
  start_data();
}

void EchoSession::on_rtp(MutableBytes packet) {
  mark(times_.media);
  if (media_.echo_rtp(packet, common::now())) transport_->send_rtp(packet);
}

void EchoSession::on_rtcp(MutableBytes packet) {
  for (const auto& compound : media_.answer_rtcp(packet, common::now()))
    transport_->send_rtcp(compound);
  if (const auto rtt = media_.statistics().rtt) transport_->on_rtt(*rtt);
}

void EchoSession::on_data(MutableBytes data) {
  // The peer's first packet may come right behind its last flight, and so before on_connected().
  start_data();
  if (!channels_) return;
  channels_->handle_packet(data, common::now());
  flush_data();
}

void EchoSession::on_transport_ended(const std::string& reason) { end(reason); }

// ---- calls that move

tl::expected<MovedCall, std::string> EchoSession::move_out() {
  if (state_ != SessionState::connected) return tl::unexpected<std::string>("it is not connected");
  auto moved = transport_->move_out();
  if (!moved) return tl::unexpected(moved.error());
  const auto now = common::now();
  MovedCall call{.id = id_,
                 .address = {},
                 .sections = offer_.sections,
                 .ssrcs = ssrcs_,
                 .times = times_,
                 .age = now - start_,
                 .streams = media_.state(now),
                 .channels = {},
                 .transport = *std::move(moved)};
  if (channels_) call.channels = channels_->channels();
  end("moved");
  return call;
}

SdpResult<std::unique_ptr<EchoSession>> EchoSession::restore(const MovedCall& moved,
                                                             dtls::Duration away,
                                                             SessionOptions options,
                                                             const Shared& shared) {
  Offer offer;
  offer.sections = moved.sections;
  std::unique_ptr<EchoSession> session{new EchoSession(
      moved.id, std::move(offer), std::move(options), shared, nullptr, moved.ssrcs)};
  auto transport = shared.transports.restore(
      moved.transport.bytes(), {.dtls = session->options_.dtls, .away = away}, *session);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  session->transport_ = *std::move(transport);
  session->start_ -= moved.age + away;
  session->times_ = moved.times;
  session->state_ = SessionState::connected;
  session->media_.restore(moved.streams, common::now());
  session->log("goes on");
  // SCTP's state cannot move, so that the association begins anew, and the peer's with it.
  session->start_data();
  if (session->channels_) session->channels_->reopen(moved.channels, common::now());
  return session;
}

// ---- data channels

void EchoSession::make_channels(const OfferedSection& section, bool waits) {
  auto association = data_channel::Association::make(
      association_options(section, own_role(),
                          {.max_message_size = kMaxMessageSize, .wait_for_start = waits}),
      common::now());
  if (!association) {
    log("no data channels: " + std::string{data_channel::to_string(association.error().code)});
    return;
  }
  channels_.emplace(std::move(*association));
}

void EchoSession::start_data() {
  const auto* section = data_section(offer_);
  if (section == nullptr || std::exchange(is_data_started_, true)) return;
  if (channels_) {
    channels_->start(section->sctp_init, common::now());
  } else {
    make_channels(*section, false);
  }
  flush_data();
}

void EchoSession::run_data_timers(dtls::Instant now) {
  if (!channels_) return;
  channels_->handle_timeout(now);
  flush_data();
}

// Sends the SCTP packets, each in one DTLS record (RFC 8261 section 4). SCTP retransmits a packet
// that the transport can't send.
void EchoSession::flush_data() {
  if (!channels_) return;
  if (!times_.data && channels_->statistics().channels_opened > 0) mark(times_.data);
  while (const auto packet = channels_->poll_transmit()) transport_->send_data(*packet);
}

}  // namespace sluice::interop::demo
