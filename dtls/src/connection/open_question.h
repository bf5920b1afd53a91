// The question that a handshake waits with until somebody answers it.
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/dtls/event.h>

#include "negotiation/question.h"

namespace sluice::dtls::connection {

class OpenQuestion {
 public:
  // The event that asks it.
  Event pose(handshake::Question question);
  // Whether it is open under this number and `answer` is one to it.
  [[nodiscard]] bool takes(QuestionId question, const Answer& answer) const;
  void close() { open_.reset(); }

 private:
  struct Open {
    QuestionId question;
    std::size_t kind;     // of handshake::Question's alternatives
    std::size_t choices;  // that an index in an answer may name
  };
  std::optional<Open> open_;
};

}  // namespace sluice::dtls::connection
