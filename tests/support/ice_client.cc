#include "support/ice_client.h"

#include <sluice/stun/crc32.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "support/endpoints.h"

namespace sluice::test {
namespace {

dtls::PathId path_of(std::size_t candidate) {
  return dtls::PathId{static_cast<std::uint32_t>(candidate)};
}

}  // namespace

IceClient::IceClient(IceClientOptions options, dtls::Environment& environment,
                     transport::MediaTransport media)
    : transport(std::move(media)),
      options_(std::move(options)),
      environment_(&environment),
      random_(options_.seed) {}

void IceClient::begin(dtls::Instant now) {
  key_.emplace(must(stun::IntegrityKey::make(*environment_, options_.remote.pwd)));
  selected_.reset();
  pairs_.assign(options_.candidates.size(), {});
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    // Ta (RFC 8445 section 14.2).
    pairs_[i].due = now + i * std::chrono::milliseconds{20};
  }
  if (options_.dtls_in_stun && !transport.connected()) {
    transport.set_path_mtu(900);
    // The first flight goes with the first check.
    settle(transport.path_selected(path_of(0), std::nullopt, now), now);
  }
  handle_timeout(now);
}

void IceClient::restart(const ice_lite::Credentials& local, const ice_lite::Credentials& remote,
                        dtls::Instant now) {
  options_.local = local;
  options_.remote = remote;
  begin(now);
}

void IceClient::nominate(std::size_t candidate, dtls::Instant now) {
  pairs_[candidate].nominates = true;
  send_check(candidate, true, now);
}

void IceClient::send_check(std::size_t candidate, bool is_new, dtls::Instant now) {
  Pair& pair = pairs_[candidate];
  if (is_new) {
    std::ranges::generate(pair.transaction,
                          [&] { return static_cast<std::byte>(random_() & 0xff); });
    pair.nominates |= options_.is_aggressive;
    pair.sent = now;
  }
  pair.is_waiting = true;
  pair.due = now + options_.retransmission;
  dtls::Buffer bytes(1300);
  stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, pair.transaction);
  writer.username(options_.remote.ufrag + ":" + options_.local.ufrag);
  // RFC 8445 section 5.1.2.1, as for a peer-reflexive candidate.
  writer.priority((110U << 24) + ((65535U - static_cast<std::uint32_t>(candidate)) << 8) + 255U);
  writer.ice_controlling(0x0102030405060708);
  if (pair.nominates) writer.use_candidate();
  if (options_.dtls_in_stun) write_dtls(writer);
  bytes.resize(must(writer.finish(*environment_, *key_)));
  out_.push_back({candidate, std::move(bytes)});
}

void IceClient::handle_datagram(dtls::MutableBytes datagram, std::size_t candidate,
                                dtls::Instant now) {
  if (transport::classify(datagram) != transport::PacketClass::stun) {
    note_dtls(datagram);
    return settle(transport.handle_datagram(datagram, path_of(candidate), now), now);
  }
  const auto message = stun::decode(datagram);
  if (!message || pairs_.empty()) return;
  if (message->transaction != pairs_[candidate].transaction) return;
  if (message->message_class == stun::MessageClass::error_response) {
    errors.push_back(message->error_code.value_or(0));
    // A pair that has worked goes on, as in libwebrtc: anybody can forge a 401, which nothing
    // authenticates.
    if (pairs_[candidate].is_valid) return;
    pairs_[candidate].is_waiting = false;
    pairs_[candidate].due.reset();
  } else if (message->message_class == stun::MessageClass::success_response &&
             stun::verify_integrity(*message, *environment_, *key_)) {
    on_response(*message, candidate, now);
  }
}

void IceClient::on_response(const stun::Message& response, std::size_t candidate,
                            dtls::Instant now) {
  Pair& pair = pairs_[candidate];
  if (!pair.is_waiting) return;
  mapped = response.xor_mapped_address;
  pair.is_waiting = false;
  pair.is_valid = true;
  // libwebrtc checks a working pair every 480 ms at first.
  const bool is_early = options_.dtls_in_stun && !transport.connected();
  pair.due = now + (is_early ? std::chrono::milliseconds{480} : options_.consent_interval);
  const bool was_nominated = std::exchange(pair.nominates, false);
  settle(transport.path_validated(path_of(candidate), now), now);
  if (options_.dtls_in_stun) take_dtls(response, candidate, now);
  const bool is_better = !selected_ || candidate < *selected_;
  if (was_nominated) {
    if (!options_.is_aggressive || is_better) select(candidate, now - pair.sent, now);
  } else if (!selected_ && !options_.is_aggressive) {
    const bool is_nominating =
        std::ranges::any_of(pairs_, [](const Pair& each) { return each.nominates; });
    if (!is_nominating) nominate(candidate, now);
  }
}

void IceClient::select(std::size_t candidate, dtls::Duration rtt, dtls::Instant now) {
  if (selected_ == candidate) return;
  selected_ = candidate;
  settle(transport.path_selected(path_of(candidate), rtt, now), now);
  // Now that the path is writable, all of it leaves by itself, too.
  for (const auto& each : pending_) out_.push_back({candidate, each});
}

// ---- DTLS in STUN

void IceClient::write_dtls(stun::Writer& writer) {
  if (transport.connected() && pending_.empty()) return;
  writer.dtls_in_stun_ack(received_);
  if (!pending_.empty()) writer.dtls_in_stun(pending_[next_pending_++ % pending_.size()]);
}

void IceClient::take_dtls(const stun::Message& response, std::size_t candidate, dtls::Instant now) {
  const auto hashes = response.dtls_in_stun_ack.value_or(dtls::Bytes{});
  for (std::size_t at = 0; at + 4 <= hashes.size(); at += 4) {
    std::uint32_t hash = 0;
    for (const auto byte : hashes.subspan(at, 4))
      hash = hash << 8 | std::to_integer<unsigned>(byte);
    std::erase_if(pending_, [&](const auto& each) { return stun::crc32(each) == hash; });
  }
  if (!response.dtls_in_stun) return;
  ++carried;
  largest_carried = std::max(largest_carried, response.dtls_in_stun->size());
  note_dtls(*response.dtls_in_stun);
  dtls::Buffer datagram(response.dtls_in_stun->begin(), response.dtls_in_stun->end());
  settle(transport.handle_datagram(datagram, path_of(candidate), now), now);
}

void IceClient::note_dtls(dtls::Bytes datagram) {
  if (transport::classify(datagram) != transport::PacketClass::dtls) return;
  received_.push_back(stun::crc32(datagram));
  if (received_.size() > 4) received_.erase(received_.begin());
}

void IceClient::handle_timeout(dtls::Instant now) {
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    if (!pairs_[i].due || *pairs_[i].due > now) continue;
    const bool is_consent = pairs_[i].is_valid && !pairs_[i].is_waiting;
    if (is_consent && (stops_consent || selected_ != i)) {
      pairs_[i].due.reset();
      continue;
    }
    send_check(i, !pairs_[i].is_waiting, now);
  }
  settle(transport.handle_timeout(now), now);
}

std::optional<dtls::Instant> IceClient::next_timeout() const {
  auto next = transport.next_timeout();
  for (const Pair& pair : pairs_) {
    if (pair.due && (!next || *pair.due < *next)) next = pair.due;
  }
  return next;
}

std::vector<IceClient::Outgoing> IceClient::take() { return std::exchange(out_, {}); }

bool IceClient::send_rtp(const Packet& plain) {
  Packet packet = plain;
  packet.resize(plain.size() + srtp::kMaxTrailer);
  const auto size = transport.protect_rtp(packet, plain.size());
  const auto path = transport.path();
  if (!size || !path) return false;
  packet.resize(*size);
  out_.push_back({static_cast<std::uint32_t>(*path), std::move(packet)});
  return true;
}

bool IceClient::send_data(const Packet& plain) {
  Packet record(plain.size() + dtls::kSealOverhead);
  const auto size = transport.seal_data(plain, record);
  const auto path = transport.path();
  if (!size || !path) return false;
  record.resize(*size);
  out_.push_back({static_cast<std::uint32_t>(*path), std::move(record)});
  return true;
}

void IceClient::settle(const dtls::Result<transport::TransportPending>& outcome,
                       dtls::Instant now) {
  if (!outcome && !error) error = outcome.error();
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
  std::array<std::byte, dtls::kMaxDatagram> buffer;
  bool is_new_flight = true;
  while (const auto sent = transport.poll_transmit(buffer)) {
    Outgoing outgoing{static_cast<std::uint32_t>(sent->path),
                      {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(sent->size)}};
    if (options_.dtls_in_stun) {
      if (std::exchange(is_new_flight, false)) pending_.clear();
      pending_.push_back(outgoing.bytes);
      if (!selected_) continue;
    }
    out_.push_back(std::move(outgoing));
  }
  while (const auto bytes = transport.poll_data()) data.emplace_back(bytes->begin(), bytes->end());
  while (const auto media = transport.poll_media()) {
    auto& kind = media->kind == transport::MediaKind::rtp ? rtp : rtcp;
    kind.emplace_back(media->packet.begin(), media->packet.end());
  }
  while (const auto event = transport.poll_event()) {
    if (std::holds_alternative<transport::TransportConnected>(*event)) connected_at = now;
    if (std::holds_alternative<transport::TransportClosed>(*event)) closed = true;
  }
}

}  // namespace sluice::test
