// A request with copies of what it was given.
#pragma once

#include <variant>

#include "entry.h"

namespace sluice::session_stores {

struct Put {
  Buffer connection_id;  // the first
  Entry entry;
};
struct Take {
  Buffer connection_id;
};
struct Erase {
  Buffer connection_id;
};
struct Count {};

// `lifetime` of a Put is in Entry::expires until the store adds the present time.
struct Request {
  RequestToken token;
  std::variant<Put, Take, Erase, Count> operation;
};

}  // namespace sluice::session_stores
