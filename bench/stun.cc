// A connectivity check and the success response to it, beside libnice's STUN library.
#include <array>
#include <stdexcept>
#include <vector>

#include "measures.h"
#include "support/nice_stun.h"
#include "support/stun_messages.h"

namespace sluice::bench {
namespace {

constexpr double kStunNanoseconds = 1e9;
constexpr std::string_view kUsername = "evtj:h6vY";

// A server has many sessions: `each_another` takes checks of 64 in turn, so that each needs another
// key than the one before; `same` takes those of one.
enum class Keys : std::uint8_t { each_another, same };
constexpr std::size_t kSessions = 64;

std::string password_of(std::size_t session) {
  std::string password(test::kIcePassword);
  password.back() = static_cast<char>('0' + session);
  return password;
}

// What browsers send, and nothing of DTLS in STUN.
dtls::Buffer make_check(const stun::IntegrityKey& key) {
  return test::written(
      stun::MessageClass::request,
      [](stun::Writer& writer) {
        writer.username(kUsername);
        writer.ice_controlling(0x932ff9b151263b36);
        writer.use_candidate();
        writer.priority(0x6e0001ff);
      },
      &key);
}

struct Checks {
  explicit Checks(Keys which) {
    const std::size_t sessions = which == Keys::same ? 1 : kSessions;
    for (std::size_t i = 0; i < sessions; ++i) {
      keys.push_back(test::ice_key(password_of(i)));
      checks.push_back(make_check(keys.back()));
    }
  }
  std::size_t next() { return next_ = (next_ + 1) % checks.size(); }

  std::vector<stun::IntegrityKey> keys;
  std::vector<dtls::Buffer> checks;

 private:
  std::size_t next_ = 0;
};

bool is_ours(dtls::Bytes username) {
  return std::ranges::equal(username, test::bytes_of(kUsername));
}

void run_ours(benchmark::State& state, Keys keys, const dtls::UdpEndpoint& source) {
  Checks checks(keys);
  dtls::Environment& environment = test::environment();
  std::array<std::byte, 128> out{};
  while (state.KeepRunning()) {
    const std::size_t i = checks.next();
    const auto check = stun::decode(checks.checks[i]);
    if (!check || !check->has_fingerprint || !check->username || !is_ours(*check->username) ||
        !stun::verify_integrity(*check, environment, checks.keys[i])) {
      throw std::runtime_error("a check is refused");
    }
    stun::Writer response(out, stun::MessageClass::success_response, check->method,
                          check->transaction);
    response.xor_mapped_address(source);
    if (!response.finish(environment, checks.keys[i])) throw std::runtime_error("no response");
    benchmark::DoNotOptimize(out);
  }
}

void run_libnice(benchmark::State& state, Keys keys, const dtls::UdpEndpoint& source) {
  Checks checks(keys);
  std::vector<std::unique_ptr<test::NiceStun>> agents;
  agents.reserve(checks.checks.size());
  for (std::size_t i = 0; i < checks.checks.size(); ++i) {
    agents.push_back(std::make_unique<test::NiceStun>(kUsername, password_of(i)));
  }
  while (state.KeepRunning()) {
    const std::size_t i = checks.next();
    test::NiceStun& agent = *agents[i];
    if (agent.validate(checks.checks[i]) != STUN_VALIDATION_SUCCESS) {
      throw std::runtime_error("libnice refuses a check");
    }
    agent.start_response();
    if (!agent.append_xor_mapped_address(source)) throw std::runtime_error("no address");
    const auto response = agent.finish();
    if (response.empty()) throw std::runtime_error("libnice writes no response");
    benchmark::DoNotOptimize(response.data());
  }
}

void add_checks(Measures& measures, Keys keys, const std::string& family,
                const dtls::UdpEndpoint& source) {
  const std::string which = keys == Keys::same ? "same_key" : "each_another_key";
  const auto timed = [&](void (*run)(benchmark::State&, Keys, const dtls::UdpEndpoint&)) {
    return Timed{[=](benchmark::State& state) { run(state, keys, source); }};
  };
  measures.push_back({.name = "stun/check/" + which + "/" + family,
                      .unit = "ns",
                      .per_second = kStunNanoseconds,
                      .contestants = {{kOurs, timed(run_ours)}, {"libnice", timed(run_libnice)}},
                      .goals = {{"libnice", 0.75}}});
}

}  // namespace

void add_stun(Measures& measures) {
  for (const Keys keys : {Keys::each_another, Keys::same}) {
    add_checks(measures, keys, "ipv4", test::kIpv4Endpoint);
    add_checks(measures, keys, "ipv6", test::kIpv6Endpoint);
  }
}

}  // namespace sluice::bench
