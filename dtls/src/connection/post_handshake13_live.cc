// The messages of a DTLS 1.3 connection that moves.
#include <algorithm>

#include "connection/post_handshake13.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using wire::HandshakeType;

std::optional<PostHandshake13::MessagesUnderWay> PostHandshake13::messages_under_way() const {
  MessagesUnderWay all{.key_update = key_update_under_way_,
                       .is_acknowledged = is_key_update_acknowledged_,
                       .ids_to_request = static_cast<std::uint8_t>(ids_to_request_),
                       .is_renewal_due = is_renewal_due_};
  if (spares_to_send_) {
    all.spares_to_send = std::min<std::size_t>(*spares_to_send_, record::ConnectionIds::kMaxSpares);
  }
  for (const Outgoing& outgoing : outgoing_) {
    if (outgoing.kind == Kind::last_flight) continue;
    outgoing.flight.for_each_message(
        [&](wire::Epoch, Bytes bytes) { all.sent.emplace_back(bytes.begin(), bytes.end()); });
  }
  reassembler_.for_each_kept([&](wire::Epoch epoch, const message::HandshakeFragment& fragment) {
    Buffer bytes(message::kHandshakeHeaderSize);
    fragment.header.encode(bytes);
    bytes.insert(bytes.end(), fragment.body.begin(), fragment.body.end());
    all.received.push_back({epoch, std::move(bytes)});
  });
  const bool is_any = !all.sent.empty() || !all.received.empty() || all.key_update ||
                      ids_to_request_ != 0 || spares_to_send_ || is_renewal_due_;
  return is_any ? std::optional(std::move(all)) : std::nullopt;
}

PostHandshake13::Kind PostHandshake13::kind_of(HandshakeType type) {
  switch (type) {
    case HandshakeType::new_session_ticket:
      return Kind::ticket;
    case HandshakeType::request_connection_id:
      return Kind::request_id;
    case HandshakeType::new_connection_id:
      return Kind::new_id;
    default:
      return Kind::key_update;
  }
}

Result<void> PostHandshake13::restore(const MessagesUnderWay& messages, Instant now) {
  const RetransmissionTimers& timers = shared_.config.timers;
  for (const Buffer& bytes : messages.sent) {
    const auto message = *whole_message(bytes);
    flight::ReliableFlight flight(timers, initial_timeout_);
    const auto added = flight.add_message(message.header.type, message.header.message_seq,
                                          shared_.records.write_epoch(),
                                          [&](wire::Writer& out) { out.bytes(message.body); });
    if (!added) return forward_error(added);
    flight.begin(now, now + timers.total);
    outgoing_.push_back({kind_of(message.header.type), std::move(flight)});
  }
  ids_to_request_ = messages.ids_to_request;
  spares_to_send_ = messages.spares_to_send;
  is_renewal_due_ = messages.is_renewal_due;
  key_update_under_way_ = messages.key_update;
  is_key_update_acknowledged_ = messages.is_acknowledged;
  for (const auto& [epoch, bytes] : messages.received) {
    const auto outcome = reassembler_.add(*single_fragment(bytes), epoch);
    if (!outcome) return forward_error(outcome);
    if (*outcome != flight::Reassembler::Outcome::kept) {
      return handshake::invalid_config("max_reassembly: too small for what the session has kept");
    }
  }
  return {};
}

}  // namespace sluice::dtls::connection
