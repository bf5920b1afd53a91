// Hundreds of clients at one Endpoint, each over a bad path of its own, in virtual time: they
// begin, restart without a word, send, close, and some never finish. Each run has a seed, which a
// failure prints: SLUICE_SIM_SEED=<seed> runs that one alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "support/bytes.h"
#include "support/endpoint_host.h"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

using dtls::Buffer;
using dtls::Instant;
using dtls::ProtocolVersion;

constexpr std::uint32_t kPeers = 200;
constexpr int kRuns = 6;
constexpr dtls::Duration kLimit = 200s;
constexpr dtls::Duration kPatience = 25s;  // of one handshake

class Fleet {
 public:
  Fleet(double loss, std::uint64_t seed)
      : loss_(loss),
        random_(seed),
        host_(make_config(with_patience(options())), {.max_half_open = kPeers}) {
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      // All come within a few seconds.
      begin(i, Instant{spread(5s)});
    }
  }

  // Why it went wrong; empty when it didn't.
  std::string run() {
    while (now_ < Instant{kLimit} && step()) {
    }
    if (host_.endpoint.half_open() != 0) return "handshakes that never ended";
    for (std::uint32_t i = 0; i < kPeers; ++i) {
      Peer& peer = *members_[i].peer;
      if (members_[i].restarts == 0 || !works(peer, path_of(i), host_, now_)) {
        return "peer " + std::to_string(i) + " is left out" +
               (peer.error ? ": " + to_string(*peer.error) : "");
      }
    }
    return check_statistics();
  }

 private:
  struct Member {
    std::optional<Peer> peer;
    Instant restart;  // without a word
    int restarts = 0;
    bool spoke = false;
  };
  struct InFlight {
    std::uint32_t member;
    bool to_host;
    Buffer datagram;
  };

  static dtls::ConfigOptions with_patience(dtls::ConfigOptions options) {
    options.timers.total = kPatience;
    return options;
  }
  dtls::Duration spread(dtls::Duration most) {
    return dtls::Duration{
        std::uniform_int_distribution<dtls::Duration::rep>(0, most.count())(random_)};
  }

  void begin(std::uint32_t i, Instant now) {
    auto options = with_patience(
        options_for(random_() % 2 == 0 ? ProtocolVersion::dtls12 : ProtocolVersion::dtls13));
    options.mtu = std::uniform_int_distribution<std::size_t>(256, 1500)(random_);
    members_[i].peer.emplace(make_client(make_config(options), now));
    members_[i].spoke = false;
    // In the middle of a handshake or long after it; once each.
    members_[i].restart = members_[i].restarts == 0 ? now + spread(20s) : Instant::max();
    ++instances_;
    wake(i);
  }

  // Its datagrams leave, and its next timer is known.
  void wake(std::uint32_t i) {
    Member& member = members_[i];
    // What was on its way to the one before can end a handshake, or have it wait in vain: plaintext
    // is anybody's.
    if (member.peer->error && member.restart == Instant::max()) member.restart = now_ + 1s;
    if (!member.spoke && member.peer->connected) {
      member.spoke = true;
      send(i, true, member.peer->seal(counted(50)));
    }
    for (const Buffer& datagram : member.peer->take_datagrams()) send(i, true, datagram);
    const auto timer = member.peer->connection().next_timeout().value_or(Instant::max());
    const Instant next = std::min(timer, member.restart);
    if (next != Instant::max()) alarms_.emplace(next, i);
  }

  void send(std::uint32_t i, bool to_host, const Buffer& datagram) {
    const bool twice = chance_(random_) < 0.05;
    for (int copies = twice ? 2 : 1; copies > 0; --copies) {
      if (chance_(random_) < loss_) continue;
      in_flight_.emplace(now_ + 45ms + spread(10ms), InFlight{i, to_host, datagram});
    }
  }

  void send_of_host() {
    for (const auto& sent : host_.take_datagrams()) {
      const auto& address = std::get<dtls::Ipv4Address>(sent.path.peer.address);
      send(address[3], false, sent.datagram);
    }
  }

  bool step() {
    const Instant arrival = in_flight_.empty() ? Instant::max() : in_flight_.begin()->first;
    const Instant alarm = alarms_.empty() ? Instant::max() : alarms_.begin()->first;
    const Instant timer = host_.endpoint.next_timeout().value_or(Instant::max());
    const Instant next = std::min({arrival, alarm, timer});
    if (next == Instant::max() || next > Instant{kLimit}) return false;
    now_ = std::max(now_, next);
    if (next == arrival) {
      auto arrived = in_flight_.extract(in_flight_.begin()).mapped();
      if (arrived.to_host) {
        host_.receive(std::move(arrived.datagram), path_of(arrived.member), now_);
        send_of_host();
      } else {
        members_[arrived.member].peer->receive(std::move(arrived.datagram), now_);
        wake(arrived.member);
      }
    } else if (next == alarm) {
      ring(alarms_.extract(alarms_.begin()).mapped());
    } else {
      host_.handle_timeout(now_);
      send_of_host();
    }
    return true;
  }

  void ring(std::uint32_t i) {
    Member& member = members_[i];
    if (now_ >= member.restart) {
      ++member.restarts;
      return begin(i, now_);
    }
    const auto timer = member.peer->connection().next_timeout();
    if (!timer || now_ < *timer) return;  // another has taken its place
    member.peer->settle(member.peer->connection().handle_timeout(now_), now_);
    wake(i);
  }

  std::string check_statistics() {
    const auto& statistics = host_.endpoint.statistics();
    std::uint64_t ended = 0;
    for (const auto count : statistics.ended) ended += count;
    if (host_.endpoint.size() != kPeers) return "connections that nobody has";
    if (ended + kPeers != statistics.accepted) return "not each has ended once";
    if (statistics.accepted > instances_) return "let in more than once";
    std::uint64_t told = 0;
    for (const auto& [handle, known] : host_.known) told += known.ended ? 1U : 0U;
    return told == ended ? "" : "not each end was told";
  }

  double loss_;
  std::mt19937_64 random_;
  std::uniform_real_distribution<> chance_{0, 1};
  EndpointHost host_;
  std::array<Member, kPeers> members_;
  std::uint64_t instances_ = 0;
  Instant now_{};
  std::multimap<Instant, InFlight> in_flight_;
  std::multimap<Instant, std::uint32_t> alarms_;
};

class EndpointSim : public testing::TestWithParam<double> {};

TEST_P(EndpointSim, HundredsComeAndBeginAnew) {
  const char* only = std::getenv("SLUICE_SIM_SEED");
  for (int i = 0; i < kRuns; ++i) {
    const auto seed =
        static_cast<std::uint64_t>(GetParam() * 100) * 1000 + static_cast<std::uint64_t>(i);
    if (only != nullptr && std::strtoull(only, nullptr, 10) != seed) continue;
    const std::string why = Fleet(GetParam(), seed).run();
    EXPECT_TRUE(why.empty()) << "seed " << seed << ": " << why;
  }
}

std::string name_of(const testing::TestParamInfo<double>& info) {
  return "Loss" + std::to_string(static_cast<int>(info.param * 100)) + "Percent";
}

INSTANTIATE_TEST_SUITE_P(Loss, EndpointSim, testing::Values(0.0, 0.1, 0.3), name_of);

}  // namespace
}  // namespace sluice::test
