// Moves a connection between paths: the caller does, or a return routability check of the peer's
// new address (RFC 9853).
#pragma once

#include "connection/input.h"
#include "connection/path_checks.h"
#include "connection/phase.h"
#include "connection/shared.h"

namespace sluice::dtls::connection {

// A view of a connection, for one input.
class PathChanges {
 public:
  // `path` is the connection's path, which may change.
  PathChanges(const Shared& shared, const Phase& phase, PathId& path)
      : shared_(shared), phase_(phase), path_(path) {}

  // The caller has chosen the path.
  void set(PathId path);
  // An encrypted record of a return routability check. Errors: decode_error, unexpected_message.
  Result<void> on_message(const record::Record& record, Input& input);
  // After the records of a datagram: begins a check if they show that the peer has moved.
  void after_datagram(const Input& input);
  void on_timeout(Instant now);

 private:
  // Whether such checks are agreed on; false before the connection is open.
  [[nodiscard]] bool has_checks() const;
  // The next two: false if the message is to be discarded.
  bool answer_challenge(message::PathMessage challenge, Input& input);
  bool on_answer(const message::PathMessage& answer, const Input& input);
  void end_validation(PathValidation::Outcome outcome);
  void use(PathId path);

  Shared shared_;
  const Phase& phase_;
  PathId& path_;
};

}  // namespace sluice::dtls::connection
