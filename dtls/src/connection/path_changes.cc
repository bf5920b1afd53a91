#include "connection/path_changes.h"

#include "connection/transmission.h"
#include "negotiation/config_rules.h"
#include "negotiation/fatal.h"

namespace sluice::dtls::connection {

using handshake::fatal;
using message::PathMessage;
using message::PathMessageType;

void PathChanges::set(PathId path) {
  if (path == path_) return;
  if (has_checks()) shared_.outputs.make_path_checks().leave(path_);
  use(path);
}

void PathChanges::use(PathId path) {
  // RFC 9147 section 9: a new ID SHOULD be used on a new path, so that observers cannot link them.
  record::ConnectionIds& ids = shared_.records.connection_ids();
  if (is_open(phase_) && ids.spares() != 0) ids.use_spare();
  path_ = path;
}

bool PathChanges::has_checks() const {
  const auto session = open_session(phase_);
  return session && handshake::extensions_of(*session).return_routability;
}

Result<void> PathChanges::on_message(const record::Record& record, Input& input) {
  // RFC 9853 section 3: "MUST NOT use RRC unless both sides have successfully exchanged rrc
  // extensions". Section 4: "MUST be authenticated and encrypted using the currently active
  // security context". What a running handshake agrees on is known when it is complete.
  const auto session = complete_session(phase_);
  const bool is_agreed = !session || handshake::extensions_of(*session).return_routability;
  if (!is_agreed || record.epoch == wire::kHandshakeEpoch13) {
    return fatal(Errc::unexpected_message, Alert::unexpected_message, "return_routability_check");
  }
  const auto message = PathMessage::decode(record.contents);
  if (!message && PathMessage::is_malformed(record.contents)) {
    return fatal(Errc::decode_error, Alert::decode_error, "return_routability_check");
  }
  // Before Connected the peer, which may be connected already, has to ask again.
  bool is_used = false;
  if (message && is_open(phase_)) {
    is_used = message->type == PathMessageType::path_challenge ? answer_challenge(*message, input)
                                                               : on_answer(*message, input);
  }
  // Section 4: "gracefully ignore messages with an unknown msg_type". Section 5.4: "MUST silently
  // discard any invalid path_response or path_drop".
  if (!is_used) discard(shared_, Discard::unexpected_content);
  return {};
}

bool PathChanges::answer_challenge(PathMessage challenge, Input& input) {
  const PathChecks* checks = shared_.outputs.path_checks();
  const bool has_left = checks != nullptr && checks->has_left(input.path);
  std::size_t limit = kMaxDatagram;
  if (input.path != path_ && !has_left) {
    limit = path_message_size(shared_.records);
    if (input.answered + limit > kAmplificationLimit * input.accepted) return false;
    input.answered += limit;
  }
  // RFC 9853 section 5.2: path_drop where this side does not prefer the path any longer.
  challenge.type = has_left ? PathMessageType::path_drop : PathMessageType::path_response;
  return shared_.outputs.make_path_checks().add({challenge, input.path, limit});
}

bool PathChanges::on_answer(const PathMessage& answer, const Input& input) {
  PathChecks* checks = shared_.outputs.path_checks();
  if (checks == nullptr || !checks->validation) return false;
  const auto outcome = checks->validation->on_answer(answer, input.path, input.now);
  if (outcome) end_validation(*outcome);
  return outcome.has_value();
}

void PathChanges::on_timeout(Instant now) {
  if (PathChecks* checks = shared_.outputs.path_checks()) end_validation(checks->on_timeout(now));
}

void PathChanges::end_validation(PathValidation::Outcome outcome) {
  if (outcome == PathValidation::Outcome::under_way) return;
  auto& validation = shared_.outputs.path_checks()->validation;
  const PathId path = validation->new_path();
  validation.reset();
  if (outcome == PathValidation::Outcome::refused) return shared_.counters.count_path_refused();
  shared_.counters.count_path_validated();
  shared_.outputs.add_path_change(path_, path);
  use(path);
}

void PathChanges::after_datagram(const Input& input) {
  PathChecks* checks = shared_.outputs.path_checks();
  if (input.path == path_) {
    if (checks != nullptr && input.newest) checks->on_followed(input.now);
    return;
  }
  if (!has_checks()) return;
  if (checks != nullptr && checks->validation) {
    if (checks->validation->new_path() == input.path) {
      checks->validation->count(input.accepted, input.answered);
    }
    return;
  }
  // RFC 9853 section 3.1: "if a record with CID is received that has the source address [...]
  // different from what is currently associated with that CID value".
  const bool has_id = !shared_.records.connection_ids().own().empty();
  const bool has_left = checks != nullptr && checks->has_left(input.path);
  if (!input.newest || !has_id || has_left) return;
  const auto kind = handshake::return_routability(shared_.config);
  auto& validation = shared_.outputs.make_path_checks().validation;
  validation = PathValidation({path_, input.path}, kind == ReturnRoutability::enhanced,
                              PathValidation::interval(shared_.counters.rtt()), input.now);
  validation->count(input.accepted, input.answered);
}

}  // namespace sluice::dtls::connection
