// Handshakes of two threads on two cores beside those of one. Not by Google Benchmark, which would
// not let one thread and two take turns.
#include <atomic>
#include <barrier>
#include <chrono>
#include <thread>

#include "handshake_options.h"
#include "measures.h"
#include "pin.h"
#include "support/endpoints.h"

namespace sluice::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr HandshakeKind kThreaded12{};
constexpr HandshakeKind kThreaded13{.version = dtls::ProtocolVersion::dtls13};

// Made in the thread that runs it.
using MakeHandshakes = std::function<std::function<void()>()>;

MakeHandshakes sluice_in_a_thread(const HandshakeKind& kind) {
  return [=] {
    // The Environment is the thread's own.
    auto environment = std::make_shared<dtls::Environment>(test::must(dtls::Environment::make()));
    return [environment, run = sluice_handshakes(kind, *environment)] { run(); };
  };
}

MakeHandshakes libssl_in_a_thread(const HandshakeKind& kind) {
  return [=] { return libssl_handshakes(kind); };
}

// Handshakes a second of all threads together.
double handshake_rate(const MakeHandshakes& make, std::size_t threads, double seconds) {
  std::atomic<std::uint64_t> count = 0;
  std::barrier start(static_cast<std::ptrdiff_t>(threads) + 1);
  std::atomic<bool> stop = false;
  std::vector<std::jthread> running;
  running.reserve(threads);
  const auto all_cores = cores();
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      pin_to(all_cores[i % all_cores.size()]);
      std::uint64_t own = 0;
      {
        const auto handshake = make();
        handshake();
        start.arrive_and_wait();
        for (; !stop; ++own) handshake();
      }
      count += own;
    });
  }
  start.arrive_and_wait();
  const auto begin = Clock::now();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  const std::chrono::duration<double> took = Clock::now() - begin;
  running.clear();
  return static_cast<double>(count) / took.count();
}

struct ThreadRates {
  std::vector<double> two;
  std::vector<double> scaling;
};

ThreadRates thread_rates(const MakeHandshakes& make, const Plan& plan) {
  const double seconds = plan.quick ? 0.02 : 0.15;
  ThreadRates rates;
  for (int i = 0; i < (plan.rounds + 1) / 2; ++i) {
    const double one = handshake_rate(make, 1, seconds);
    rates.two.push_back(handshake_rate(make, 2, seconds));
    rates.scaling.push_back(rates.two.back() / one);
  }
  return rates;
}

// The rate, and what it is to one thread's, come from the same run.
class ThreadContestant {
 public:
  ThreadContestant(const char* name, MakeHandshakes make) : name_(name), make_(std::move(make)) {}

  [[nodiscard]] Contestant of(std::vector<double> ThreadRates::* figure) const {
    return {.name = name_, .work = Sampled([=, make = make_, known = known_](const Plan& plan) {
                             if (!*known) *known = thread_rates(make, plan);
                             return (**known).*figure;
                           })};
  }

 private:
  const char* name_;
  MakeHandshakes make_;
  std::shared_ptr<std::optional<ThreadRates>> known_ =
      std::make_shared<std::optional<ThreadRates>>();
};

}  // namespace

void add_threads(Measures& measures) {
  const ThreadContestant libssl("libssl", libssl_in_a_thread(kThreaded12));
  const ThreadContestant ours12(kOurs, sluice_in_a_thread(kThreaded12));
  const ThreadContestant ours13(kOurs, sluice_in_a_thread(kThreaded13));
  const auto add = [&](const char* name, const char* unit, auto figure) {
    const std::string prefix = std::string("threads/") + name;
    measures.push_back({.name = prefix + "/1.2",
                        .unit = unit,
                        .contestants = {ours12.of(figure), libssl.of(figure)}});
    measures.push_back({.name = prefix + "/1.3", .unit = unit, .contestants = {ours13.of(figure)}});
  };
  add("two_over_one", "times", &ThreadRates::scaling);
  add("two", "handshakes/s", &ThreadRates::two);
}

}  // namespace sluice::bench
