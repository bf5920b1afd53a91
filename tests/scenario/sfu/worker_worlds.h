// Two workers of one server in virtual time, each with its peers: the queues between them are the
// real ones, and there are no threads.
#pragma once

#include <chrono>
#include <memory>

#include "scenario/sfu/sfu_world.h"
#include "sfu/workers/directory.h"
#include "sfu/workers/exchange.h"

namespace sluice::interop::sfu {

template <class World>
class WorkerWorlds {
 public:
  explicit WorkerWorlds(const SfuOptions& options = {})
      : directory(limits_of(options), 2),
        first(options, {.directory = &directory, .exchange = exchange.get(), .worker = 0}),
        second(options, {.directory = &directory, .exchange = exchange.get(), .worker = 1}) {}

  // Until nothing is under way between them.
  void settle() {
    for (int i = 0; i < 4; ++i) {
      first.take_from_workers();
      second.take_from_workers();
    }
  }
  void run_for(dtls::Duration duration) {
    const auto until = std::max(first.now, second.now) + duration;
    for (World* each : {&first, &second}) {
      if (each->now < until - duration) each->run_for(until - duration - each->now);
    }
    while (first.now < until) {
      first.run_for(std::chrono::milliseconds{10});
      second.run_for(std::chrono::milliseconds{10});
      settle();
    }
  }

  std::unique_ptr<Exchange> exchange = Exchange::make(2).value();
  Directory directory;
  World first;
  World second;
};

}  // namespace sluice::interop::sfu
