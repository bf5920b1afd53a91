// STUN: which requests are valid checks, and what is answered (RFC 8489 section 9.1.3, RFC 8445
// section 7.3).
#include <chrono>
#include <span>
#include <string_view>

#include <sluice/stun/writer.h>

#include "impl.h"

namespace sluice::ice_lite {
namespace {

// How much later than a copy a check may come.
constexpr dtls::Duration kOvertaking = std::chrono::seconds{1};
// RFC 8489 section 14.8, RFC 8445 section 7.3.1.1.
constexpr std::uint16_t kBadRequest = 400;
constexpr std::uint16_t kUnauthenticated = 401;
constexpr std::uint16_t kUnknownAttribute = 420;
constexpr std::uint16_t kRoleConflict = 487;

std::string_view reason_of(std::uint16_t code) {
  switch (code) {
    case kBadRequest:
      return "Bad Request";
    case kUnauthenticated:
      return "Unauthenticated";
    case kUnknownAttribute:
      return "Unknown Attribute";
    default:
      return "Role Conflict";
  }
}

std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The largest error response: 420 with its longest list.
static_assert(stun::kHeaderSize + stun::kAttributeHeaderSize + 4 + 20 + stun::kAttributeHeaderSize +
                  2 * stun::UnknownAttributes::kMaxTypes + stun::kIntegritySize +
                  stun::kFingerprintSize <=
              kMaxResponse);

}  // namespace

void IceLiteServer::Impl::on_stun(const Arrival& arrival) {
  const auto message = stun::decode(arrival.datagram);
  if (!message) {
    drop(Drop::malformed_stun);
    ++statistics_.malformed[static_cast<std::size_t>(message.error())];
    return;
  }
  switch (message->message_class) {
    case stun::MessageClass::indication:
      return drop(Drop::indication);
    case stun::MessageClass::success_response:
    case stun::MessageClass::error_response:
      return drop(Drop::unexpected_response);
    case stun::MessageClass::request:
      break;
  }
  if (message->method != stun::Method::binding) return drop(Drop::unexpected_method);
  if (!message->has_fingerprint) return drop(Drop::no_fingerprint);
  on_request(*message, arrival);
}

// In the order of RFC 8489 sections 9.1.3 and 6.3.1.
void IceLiteServer::Impl::on_request(const stun::Message& request, const Arrival& arrival) {
  if (!request.username || !request.integrity_at) {
    return refuse(Drop::bad_request, kBadRequest, request, arrival, nullptr);
  }
  // "<our ufrag>:<the peer's ufrag>" (RFC 8445 section 7.2.2).
  const std::string_view username = as_text(*request.username);
  const std::size_t colon = username.find(':');
  const std::string_view ufrag = username.substr(0, colon);
  SlotNumber number = kNoSlot;
  if (colon != std::string_view::npos) {
    const SlotNumber present = arrival.tuple != kNoSlot ? tuples_[arrival.tuple].session : kNoSlot;
    const bool is_present = present != kNoSlot && !sessions_[present].has_ended &&
                            sessions_[present].credentials_of(ufrag) != nullptr;
    number = is_present ? present : sessions_.find_ufrag(keyed_, ufrag);
  }
  if (number == kNoSlot) {
    return refuse(Drop::unknown_ufrag, kUnauthenticated, request, arrival, nullptr);
  }
  const LocalCredentials& credentials = *sessions_[number].credentials_of(ufrag);
  if (!stun::verify_integrity(request, *environment_, credentials.key)) {
    return refuse(Drop::wrong_integrity, kUnauthenticated, request, arrival, nullptr);
  }
  if (!request.unknown.empty()) {
    return refuse(Drop::unknown_attribute, kUnknownAttribute, request, arrival, &credentials.key);
  }
  // RFC 8445 section 7.1.1: a check has it.
  if (!request.priority) {
    return refuse(Drop::bad_request, kBadRequest, request, arrival, &credentials.key);
  }
  // A lite agent cannot become the controlling one of a full agent (RFC 8445 section 6.1.1).
  if (request.ice_controlled) {
    return refuse(Drop::role_conflict, kRoleConflict, request, arrival, &credentials.key);
  }
  on_check({.message = request,
            .session = number,
            .credentials = credentials,
            .ufrag = ufrag,
            .remote_ufrag = username.substr(colon + 1)},
           arrival);
}

void IceLiteServer::Impl::on_check(const Check& check, const Arrival& arrival) {
  const auto& expected = check.credentials.remote_ufrag;
  if (!expected.empty() && expected != check.remote_ufrag) return drop(Drop::wrong_remote_ufrag);
  Session& session = sessions_[check.session];
  const bool is_known = arrival.tuple != kNoSlot && tuples_[arrival.tuple].session == check.session;
  const bool is_repeated = session.recent.contain(check.message.transaction);
  if (is_repeated && !is_known) return drop(Drop::repeated_elsewhere);
  if (is_repeated) return on_repeated(check, arrival);

  const SlotNumber number = admit(check, arrival);
  if (number == kNoSlot) return;
  session.recent.add(check.message.transaction);
  session.overtaken_until = dtls::saturating_add(arrival.now, kOvertaking);
  Tuple& tuple = tuples_[number];
  tuple.checked = tuple.heard = arrival.now;
  tuple.checks.priority = *check.message.priority;
  if (check.credentials.generation > tuple.checks.generation) {
    tuple.checks.generation = check.credentials.generation;
    tuple.checks.nomination = 0;
    tuple.is_nominated = false;
  }
  if (expected.empty()) {
    tuple.remote = static_cast<std::uint32_t>(keyed_(std::as_bytes(std::span(check.remote_ufrag))));
    tuple.is_remote_known = true;
  }
  if (!session.tuples_due) {
    session.tuples_due = consent_end(arrival.now);
    set_timer(check.session);
  }
  // The response comes before whatever the check makes the transport send, except for what it
  // carries itself.
  if (!session.in_stun) respond(check.message, check.credentials, session, arrival);
  validate(number, arrival.now);
  nominate(number, check, arrival.now);
  if (session.in_stun) answer_in_stun(check, number, arrival);
  if (!is_known) deliver_early(number, arrival);
}

// A retransmission is answered and proves nothing new. But who overhears checks may send copies of
// them from elsewhere that arrive first: the check itself, which comes soon after its copy, still
// proves consent, once.
void IceLiteServer::Impl::on_repeated(const Check& check, const Arrival& arrival) {
  Session& session = sessions_[check.session];
  if (session.recent.is_newest(check.message.transaction) &&
      arrival.now < session.overtaken_until) {
    session.overtaken_until = Instant::min();
    Tuple& tuple = tuples_[arrival.tuple];
    tuple.checked = tuple.heard = arrival.now;
  }
  respond(check.message, check.credentials, session, arrival);
}

void IceLiteServer::Impl::refuse(Drop reason, std::uint16_t code, const stun::Message& request,
                                 const Arrival& arrival, const stun::IntegrityKey* key) {
  drop(reason);
  if (key == nullptr && !budget_.take(arrival.now)) return drop(Drop::response_budget);
  Response response{.path = arrival.path};
  stun::Writer writer(response.bytes, stun::MessageClass::error_response, request.method,
                      request.transaction);
  writer.error_code(code, reason_of(code));
  if (code == kUnknownAttribute) writer.unknown_attributes(request.unknown);
  const auto size = key != nullptr ? writer.finish(*environment_, *key) : writer.finish();
  response.size = size.value_or(0);
  if (queue_response(arrival, response)) ++statistics_.error_responses;
}

void IceLiteServer::Impl::respond(const stun::Message& request, const LocalCredentials& credentials,
                                  const Session& session, const Arrival& arrival) {
  if (session.in_stun && session.in_stun->is_used()) {
    return respond_in_stun(request, credentials, *session.in_stun, arrival);
  }
  Response response{.path = arrival.path};
  stun::Writer writer(response.bytes, stun::MessageClass::success_response, request.method,
                      request.transaction);
  writer.xor_mapped_address(arrival.path.peer);
  response.size = writer.finish(*environment_, credentials.key).value_or(0);
  if (queue_response(arrival, response)) ++statistics_.checks;
}

bool IceLiteServer::Impl::queue_response(const Arrival& arrival, const Response& response) {
  // Without a size, libcrypto has failed.
  if (response.size == 0) return false;
  // A forged source address must not amplify traffic. Who has a session is sent its handshake.
  if (response.size > arrival.datagram.size() && response.with_dtls.empty()) {
    drop(Drop::response_larger);
    return false;
  }
  if (responses_.size() == kMaxQueuedResponses) {
    drop(Drop::response_queue);
    return false;
  }
  responses_.push(response);
  return true;
}

}  // namespace sluice::ice_lite
