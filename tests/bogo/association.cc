#include "bogo/association.h"

#include <array>
#include <string_view>

#include "bogo/engine_config.h"

namespace sluice::bogo {
namespace {

constexpr dtls::PathId kPath{1};
constexpr std::string_view kGreeting = "hello";

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

Outcome unexpected(std::string_view what) { return tl::unexpected(std::string(what)); }

std::string in_words(std::optional<dtls::Duration> timeout) {
  return timeout ? std::to_string(timeout->count()) + " us" : "no timeout";
}

}  // namespace

Outcome Association::run() {
  // With a known RTT the engine doesn't measure one, which here would be zero.
  connection_.set_path_rtt(flags_.initial_timeout / 2);
  take_datagrams();
  while (!closed_) {
    auto frame = link_.receive();
    if (!frame && frame.error() == Link::End::malformed) {
      return tl::unexpected(std::string("malformed frame"));
    }
    if (!frame && !connection_.connected()) return run_out_of_time();
    if (!frame && frame.error() == Link::End::idle) continue;
    if (!frame) break;
    const Outcome handled = std::visit([&](auto& order) { return handle(order); }, *frame);
    if (!handled) return handled;
  }
  return check_ticket();
}

Outcome Association::run_out_of_time() {
  clock_.advance(kHandshakeTime);
  const Outcome outcome = settle(connection_.handle_timeout(clock_.now()));
  return outcome ? unexpected("the runner left during the handshake") : outcome;
}

// ---- orders of the runner

Outcome Association::handle(Packet& packet) {
  look_at(packet.datagram);
  return settle(connection_.handle_datagram(packet.datagram, kPath, clock_.now()));
}

Outcome Association::handle(const AdvanceClock& order) {
  clock_.advance(order.by);
  return settle(connection_.handle_timeout(clock_.now()));
}

Outcome Association::handle(const SetMtu& order) {
  connection_.set_path_mtu(order.bytes);
  return {};
}

Outcome Association::handle(const ExpectTimeout& order) {
  std::optional<dtls::Duration> in;
  if (const auto at = connection_.next_timeout()) in = *at - clock_.now();
  // Later than any retransmission: the handshake's end, or that of a last flight's keys.
  if (in && *in > kLongestTimeout) in.reset();
  if (in == order.in) return {};
  return tl::unexpected("timeout: " + in_words(in) + " instead of " + in_words(order.in));
}

Outcome Association::handle(const SetInitialTimeout& order) {
  connection_.set_path_rtt(order.timeout / 2);
  return {};
}

// ---- outputs of the engine

Outcome Association::settle(const dtls::Result<dtls::Pending>& input) {
  std::vector<dtls::Buffer> received;
  take_datagrams();
  while (const auto data = connection_.poll_data())
    received.emplace_back(data->begin(), data->end());
  Outcome outcome = take_events();
  if (const auto asked = std::exchange(asked_, {})) {
    return settle(
        connection_.answer(asked->question, store_.answer(*asked, clock_.now()), clock_.now()));
  }
  take_datagrams();
  if (!input) return tl::unexpected(dtls::to_string(input.error(), dtls::SourcePlace::include));
  if (outcome && std::exchange(newly_connected_, false)) outcome = on_connected();
  for (auto& data : received) {
    if (outcome && !closed_) outcome = echo(std::move(data));
  }
  return outcome;
}

Outcome Association::take_events() {
  Outcome outcome;
  while (const auto event = connection_.poll_event()) {
    if (const auto* peer = std::get_if<dtls::PeerCertificateReceived>(&*event)) {
      if (outcome) outcome = judge(*peer);
    } else if (const auto* ticket = std::get_if<dtls::SessionReceived>(&*event)) {
      session_ = ticket->session;
    } else if (const auto* wanted = std::get_if<dtls::IdentityRequested>(&*event)) {
      if (outcome) outcome = show_identity(*wanted);
    } else if (const auto* asked = std::get_if<dtls::SessionRequested>(&*event)) {
      asked_ = *asked;
      has_session_id_ = true;
    } else if (const auto* to_store = std::get_if<dtls::SessionToStore>(&*event)) {
      store_.keep(*to_store, clock_.now());
      has_session_id_ = true;
    } else if (const auto* connected = std::get_if<dtls::Connected>(&*event)) {
      newly_connected_ = true;
      if (outcome) outcome = check(connected->info);
      version_ = connected->info.version;
    } else if (std::holds_alternative<dtls::Closed>(*event)) {
      closed_ = true;
    }
  }
  return outcome;
}

Outcome Association::judge(const dtls::PeerCertificateReceived& peer) {
  if (!flags_.expected_certificate_file.empty()) {
    const auto expected = load_certificate(flags_.expected_certificate_file);
    if (!expected) return tl::unexpected(dtls::to_string(expected.error()));
    if (peer.chain.front() != *expected) return unexpected("another certificate");
  }
  // BoringSSL asks about the peer of a session once only, unless it is told to
  // do it again.
  const bool judges = flags_.verifies_peer && (!flags_.is_resumption || flags_.judges_again);
  const bool rejected = judges && flags_.rejects_peer;
  const auto answer = rejected ? dtls::PeerAnswer(dtls::RejectPeer{flags_.rejection})
                               : dtls::PeerAnswer(dtls::AcceptPeer{});
  const auto answered = connection_.answer(peer.question, answer, clock_.now());
  if (!answered)
    return tl::unexpected(dtls::to_string(answered.error(), dtls::SourcePlace::include));
  return {};
}

Outcome Association::show_identity(const dtls::IdentityRequested& wanted) {
  const auto answered =
      connection_.answer(wanted.question, dtls::UseIdentity{identities_.front()}, clock_.now());
  if (!answered) return tl::unexpected(dtls::to_string(answered.error()));
  return {};
}

void Association::take_datagrams() {
  std::array<std::byte, dtls::kMaxDatagram> datagram{};
  while (const auto next = connection_.poll_transmit(datagram)) {
    look_at(dtls::Bytes(datagram).first(next->size));
    link_.send(dtls::Bytes(datagram).first(next->size));
  }
}

void Association::look_at(dtls::Bytes datagram) {
  // A second ClientHello, in plaintext.
  constexpr std::size_t kTypeAt = 13;
  constexpr std::size_t kMessageSeqAt = kTypeAt + 5;
  if (datagram.size() <= kMessageSeqAt || datagram[0] != std::byte{22}) return;
  was_retried_ |= datagram[kTypeAt] == std::byte{1} && datagram[kMessageSeqAt] == std::byte{1};
}

// ---- after the handshake

Outcome Association::on_connected() {
  if (auto sent = send_keying_material(); !sent) return sent;
  if (flags_.writes_first) {
    if (auto sent = send(bytes_of(kGreeting)); !sent) return sent;
  }
  if (!flags_.shuts_down) return prepare_read();
  closed_ = true;
  return settle(connection_.close(clock_.now()));
}

Outcome Association::check(const dtls::ConnectionInfo& info) const {
  if (info.resumed != (flags_.is_resumption && !flags_.expects_session_miss)) {
    return unexpected(info.resumed ? "session was reused" : "session was not reused");
  }
  const bool is13 = info.version == dtls::ProtocolVersion::dtls13;
  if (is13 && flags_.expects_retry.value_or(was_retried_) != was_retried_) {
    return unexpected(was_retried_ ? "HelloRetryRequest" : "no HelloRetryRequest");
  }
  if (flags_.expected_group && flags_.expected_group != info.group)
    return unexpected("another group");
  if (flags_.expects_extended_master_secret && !info.extended_master_secret) {
    return unexpected("no extended master secret");
  }
  if (flags_.expected_server_name.value_or(info.server_name) != info.server_name) {
    return unexpected("another server name");
  }
  if (flags_.expected_protocol.value_or(info.application_protocol) != info.application_protocol) {
    return unexpected("another application protocol");
  }
  return {};
}

Outcome Association::check_ticket() const {
  if (flags_.role == dtls::Role::server) {
    if (flags_.expects_session_id.value_or(has_session_id_) == has_session_id_) return {};
    return unexpected(has_session_id_ ? "a session ID" : "no session ID");
  }
  if (version_ == dtls::ProtocolVersion::dtls12) return check_renewal();
  const bool expected = flags_.expects_ticket && !flags_.shuts_down;
  if (session_.has_value() == expected) return {};
  return unexpected(expected ? "no ticket came" : "a ticket came");
}

Outcome Association::check_renewal() const {
  if (!flags_.is_resumption || flags_.expects_session_miss || !session_ || !offered_) return {};
  const bool is_renewed = session_->serialize() != offered_->serialize();
  if (is_renewed == flags_.expects_renewal) return {};
  return unexpected(is_renewed ? "ticket was renewed" : "ticket was not renewed");
}

Outcome Association::prepare_read() { return update_keys(flags_.updates_keys_before_read); }

Outcome Association::update_keys(bool wanted) {
  if (!wanted) return {};
  return settle(
      connection_.update_keys(dtls::KeyUpdateRequest::update_not_requested, clock_.now()));
}

Outcome Association::send_keying_material() {
  if (flags_.export_size == 0) return {};
  dtls::Buffer material(flags_.export_size);
  const auto context =
      flags_.has_export_context ? std::optional(bytes_of(flags_.export_context)) : std::nullopt;
  const auto exported = connection_.export_keying_material(material, flags_.export_label, context);
  if (!exported) return tl::unexpected(dtls::to_string(exported.error()));
  return send(material);
}

Outcome Association::send(dtls::Bytes data) {
  std::array<std::byte, dtls::kMaxApplicationData + dtls::kSealOverhead> record{};
  const auto size = connection_.seal(data, record);
  if (!size) return tl::unexpected(std::string(dtls::to_string(size.error())));
  link_.send(dtls::Bytes(record).first(*size));
  return {};
}

Outcome Association::echo(dtls::Buffer data) {
  // BoringSSL's SSL_read() skips empty records, and so the runner expects no answer.
  if (data.empty()) return {};
  for (std::byte& byte : data) byte ^= std::byte{0xff};
  if (auto updated = update_keys(flags_.updates_keys_after_read); !updated) return updated;
  if (auto sent = send(data); !sent) return sent;
  return prepare_read();
}

}  // namespace sluice::bogo
