// How long two ends take to be connected over a path that loses datagrams, in virtual time: ours,
// which know the path's RTT from ICE, and libssl's, whose first timeout is a second, unless its
// user gives it our timers.
#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "measures.h"
#include "support/endpoints.h"
#include "support/libssl_peer.h"
#include "virtual_time.h"

namespace sluice::bench {
namespace {

using dtls::Duration;
using dtls::Instant;
using namespace std::chrono_literals;

// A call that isn't set up by then counts as much.
constexpr Duration kPatience = 90s;
constexpr Instant kBegin{Duration{1s}};

class SluiceEnd {
 public:
  SluiceEnd(test::Peer peer, Duration rtt) : peer_(std::move(peer)) {
    peer_.connection().set_path_rtt(rtt);
  }
  void start(Instant /*now*/) {}
  std::vector<dtls::Buffer> take_datagrams() { return peer_.take_datagrams(); }
  void receive(dtls::Buffer datagram, Instant now) { peer_.receive(std::move(datagram), now); }
  [[nodiscard]] std::optional<Instant> next_timeout(Instant /*now*/) const {
    return peer_.connection().next_timeout();
  }
  void expire(Instant now) { peer_.settle(peer_.connection().handle_timeout(now), now); }
  [[nodiscard]] bool connected() const { return peer_.connected.has_value(); }
  [[nodiscard]] bool failed() const { return peer_.error.has_value(); }

 private:
  test::Peer peer_;
};

class LibsslEnd {
 public:
  explicit LibsslEnd(const test::LibsslContext& context, std::optional<Duration> rtt)
      : peer_(context), is_client_(!context.options().is_server) {
    if (!rtt) return;
    known_rtt = *rtt;
    DTLS_set_timer_cb(peer_.ssl(), next_duration);
  }
  void start(Instant now) {
    set_virtual_time(now);
    if (is_client_) peer_.advance();
  }
  std::vector<dtls::Buffer> take_datagrams() { return peer_.take_datagrams(); }
  void receive(dtls::Buffer datagram, Instant now) {
    set_virtual_time(now);
    peer_.receive(std::move(datagram));
  }
  [[nodiscard]] std::optional<Instant> next_timeout(Instant now) const {
    set_virtual_time(now);
    timeval left{};
    if (DTLSv1_get_timeout(peer_.ssl(), &left) != 1) return std::nullopt;
    return now + std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
  }
  void expire(Instant now) {
    set_virtual_time(now);
    if (DTLSv1_handle_timeout(peer_.ssl()) < 0) failed_ = true;
  }
  [[nodiscard]] bool connected() const { return peer_.connected(); }
  [[nodiscard]] bool failed() const { return failed_ || !peer_.error().empty(); }

 private:
  // In microseconds; as ours do by default.
  static unsigned next_duration(SSL* /*ssl*/, unsigned last) {
    const dtls::RetransmissionTimers ours;
    const Duration next =
        last == 0 ? std::clamp(2 * known_rtt, ours.kMinimumInitial, ours.kMaximumInitial)
                  : std::min(2 * Duration(last), ours.maximum);
    return static_cast<unsigned>(next.count());
  }
  // The callback is told of no user's data.
  inline static Duration known_rtt{};

  test::LibsslPeer peer_;
  bool is_client_;
  bool failed_ = false;
};

struct PathKind {
  Duration rtt;
  int loss_percent;
};

// One call; all chance comes from the seed.
template <class End>
class SimulatedCall {
 public:
  SimulatedCall(End& client, End& server, const PathKind& path, std::uint64_t seed)
      : client_(client), server_(server), path_(path), random_(seed) {}

  // Until both are connected.
  Duration run() {
    client_.start(now_);
    server_.start(now_);
    while (!client_.connected() || !server_.connected()) {
      send(client_, true);
      send(server_, false);
      if (client_.failed() || server_.failed() || !step()) return kPatience;
    }
    return now_ - kBegin;
  }

 private:
  struct Flight {
    bool to_server{};
    dtls::Buffer datagram;
  };

  void send(End& from, bool to_server) {
    for (auto& datagram : from.take_datagrams()) {
      if (std::uniform_int_distribution<>(0, 99)(random_) < path_.loss_percent) continue;
      flights_.emplace(now_ + path_.rtt / 2, Flight{to_server, std::move(datagram)});
    }
  }

  bool step() {
    const Instant arrival = flights_.empty() ? Instant::max() : flights_.begin()->first;
    const Instant client_timeout = client_.next_timeout(now_).value_or(Instant::max());
    const Instant server_timeout = server_.next_timeout(now_).value_or(Instant::max());
    const Instant next = std::min({arrival, client_timeout, server_timeout});
    if (next > kBegin + kPatience) return false;
    now_ = std::max(now_, next);
    if (next == arrival) {
      auto flight = std::move(flights_.extract(flights_.begin()).mapped());
      (flight.to_server ? server_ : client_).receive(std::move(flight.datagram), now_);
    } else {
      (next == client_timeout ? client_ : server_).expire(now_);
    }
    return true;
  }

  End& client_;
  End& server_;
  PathKind path_;
  std::mt19937_64 random_;
  Instant now_ = kBegin;
  std::multimap<Instant, Flight> flights_;
};

struct SetUpTimes {
  double median;
  double p95;
};

SetUpTimes summary_of(std::vector<double> milliseconds) {
  std::ranges::sort(milliseconds);
  const auto at = [&](std::size_t percent) {
    return milliseconds[(milliseconds.size() - 1) * percent / 100];
  };
  return {.median = at(50), .p95 = at(95)};
}

enum class Stack : std::uint8_t { sluice12, sluice13, libssl, libssl_rtt };

SetUpTimes simulate(Stack stack, const PathKind& path, std::size_t calls) {
  std::vector<double> milliseconds;
  const auto note = [&](Duration duration) {
    milliseconds.push_back(static_cast<double>(duration.count()) / 1000);
  };
  if (stack == Stack::libssl || stack == Stack::libssl_rtt) {
    const auto rtt = stack == Stack::libssl_rtt ? std::optional(path.rtt) : std::nullopt;
    const test::LibsslContext client_context({.is_server = false});
    const test::LibsslContext server_context({.is_server = true});
    for (std::uint64_t seed = 1; seed <= calls; ++seed) {
      LibsslEnd client(client_context, rtt);
      LibsslEnd server(server_context, rtt);
      note(SimulatedCall(client, server, path, seed).run());
    }
    set_virtual_time({});
    return summary_of(std::move(milliseconds));
  }
  const auto config = test::make_config(test::options_for(
      stack == Stack::sluice12 ? dtls::ProtocolVersion::dtls12 : dtls::ProtocolVersion::dtls13));
  for (std::uint64_t seed = 1; seed <= calls; ++seed) {
    SluiceEnd client(test::make_client(config, kBegin), path.rtt);
    SluiceEnd server(test::make_server(config, kBegin), path.rtt);
    note(SimulatedCall(client, server, path, seed).run());
  }
  return summary_of(std::move(milliseconds));
}

// Median and percentile come from the same calls, and libssl's are compared with twice.
const SetUpTimes& simulated(Stack stack, const PathKind& path, std::size_t calls) {
  static std::map<std::tuple<Stack, Duration, int>, SetUpTimes> known;
  const std::tuple key(stack, path.rtt, path.loss_percent);
  const auto found = known.find(key);
  return found != known.end() ? found->second
                              : known.emplace(key, simulate(stack, path, calls)).first->second;
}

Contestant set_up_contestant(const char* name, Stack stack, const PathKind& path,
                             double SetUpTimes::* figure) {
  return {.name = name, .work = Sampled([=](const Plan& plan) {
                          return std::vector{simulated(stack, path, plan.calls).*figure};
                        })};
}

Measure set_up_measure(Stack stack, const PathKind& path, bool is_p95) {
  const auto figure = is_p95 ? &SetUpTimes::p95 : &SetUpTimes::median;
  Measure measure{
      .name = "set_up/" + std::to_string(path.rtt / 1ms) + "ms/" +
              std::to_string(path.loss_percent) + "%/" + (is_p95 ? "p95" : "median") +
              (stack == Stack::sluice12 ? "/1.2" : "/1.3"),
      .unit = "ms",
      .contestants = {set_up_contestant(kOurs, stack, path, figure),
                      set_up_contestant("libssl", Stack::libssl, path, figure),
                      set_up_contestant("libssl_rtt", Stack::libssl_rtt, path, figure)}};
  if (is_p95 && path.rtt == 100ms && path.loss_percent == 10) measure.goals = {{"libssl", 1}};
  return measure;
}

}  // namespace

void add_set_up_times(Measures& measures) {
  for (const Duration rtt : {50ms, 100ms, 300ms}) {
    for (const int loss : {0, 5, 10, 25}) {
      for (const auto stack : {Stack::sluice12, Stack::sluice13}) {
        for (const bool is_p95 : {false, true}) {
          measures.push_back(set_up_measure(stack, {rtt, loss}, is_p95));
        }
      }
    }
  }
}

}  // namespace sluice::bench
