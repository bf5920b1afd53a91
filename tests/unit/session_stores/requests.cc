#include "requests.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

namespace sluice::session_stores::test {
namespace {

std::atomic<std::int64_t> seconds_since_1970{1'800'000'000};

constexpr RequestToken kToken{7};
constexpr std::chrono::seconds kPatience(30);

}  // namespace

Completion next(LiveSessionStore& store) {
  EXPECT_TRUE(store.wait(kPatience));
  auto completion = store.poll();
  if (!completion) throw std::runtime_error("a request has no outcome");
  return std::move(*completion);
}

Outcome try_put(LiveSessionStore& store, std::initializer_list<std::string_view> ids,
                std::string_view session, std::chrono::seconds lifetime) {
  std::vector<Bytes> connection_ids;
  for (const std::string_view id : ids) connection_ids.push_back(bytes_of(id));
  const auto accepted = store.put(kToken, {connection_ids, bytes_of(session), lifetime});
  if (!accepted) return Failed{accepted.error()};
  Completion completion = next(store);
  EXPECT_EQ(completion.token, kToken);
  return std::move(completion.outcome);
}

void put(LiveSessionStore& store, std::initializer_list<std::string_view> ids,
         std::string_view session, std::chrono::seconds lifetime) {
  const Outcome outcome = try_put(store, ids, session, lifetime);
  const auto error = error_of(outcome);
  EXPECT_TRUE(std::holds_alternative<PutDone>(outcome)) << to_string(error.value_or(StoreError{}));
}

std::string take(LiveSessionStore& store, std::string_view id) {
  EXPECT_TRUE(store.take(kToken, bytes_of(id)));
  const Completion completion = next(store);
  if (const auto error = error_of(completion.outcome)) return std::string(to_string(*error));
  const auto& session = std::get<TakeDone>(completion.outcome).session;
  if (session.empty()) return "none";
  return {reinterpret_cast<const char*>(session.data()), session.size()};
}

bool erase(LiveSessionStore& store, std::string_view id) {
  EXPECT_TRUE(store.erase(kToken, bytes_of(id)));
  return std::get<EraseDone>(next(store).outcome).found;
}

std::uint64_t count(LiveSessionStore& store) {
  EXPECT_TRUE(store.count(kToken));
  return std::get<CountDone>(next(store).outcome).sessions;
}

std::optional<StoreError> error_of(const Outcome& outcome) {
  const auto* failed = std::get_if<Failed>(&outcome);
  return failed == nullptr ? std::nullopt : std::optional(failed->error);
}

std::int64_t test_clock() { return seconds_since_1970; }
void set_test_clock(std::int64_t seconds) { seconds_since_1970 = seconds; }

}  // namespace sluice::session_stores::test
