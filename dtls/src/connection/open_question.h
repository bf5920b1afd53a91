// The question that a handshake waits for.
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/dtls/connection.h>
#include <sluice/dtls/event.h>

#include "negotiation/question.h"

namespace sluice::dtls::connection {

class OpenQuestion {
 public:
  // Opens the question and returns the event that asks it.
  Event pose(handshake::Question question);
  // Whether this question is open and `answer` fits it.
  [[nodiscard]] bool takes(QuestionId question, const Answer& answer) const;
  void close() { open_.reset(); }
  // Which answer it waits for; `nothing` if no question is open.
  [[nodiscard]] WaitingFor waiting_for() const;

 private:
  struct Open {
    QuestionId question;
    std::size_t kind;     // index of the alternative of handshake::Question
    std::size_t choices;  // an index in an answer must be below this
  };
  std::optional<Open> open_;
};

}  // namespace sluice::dtls::connection
