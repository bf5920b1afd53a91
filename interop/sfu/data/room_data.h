// What a room knows of data channels.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sfu/data/data_session.h"
#include "sfu/rate_budget.h"

namespace sluice::interop::sfu {

struct RoomData {
  struct Label {
    std::size_t openers = 0;  // channels that peers have opened
    bool is_relayed = false;  // a message was: the server may have opened channels, too
  };

  std::string room;  // its name
  std::vector<DataSession*> members = {};
  std::map<std::string, Label> labels = {};
  RateBudget packets = {};
};

}  // namespace sluice::interop::sfu
