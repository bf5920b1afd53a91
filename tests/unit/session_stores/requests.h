// Requests to a LiveSessionStore that wait for their outcome.
#pragma once

#include <string_view>

#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores::test {

inline Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The next outcome. Fails the test when none comes.
Completion next(LiveSessionStore& store);

void put(LiveSessionStore& store, std::initializer_list<std::string_view> ids,
         std::string_view session, std::chrono::seconds lifetime = std::chrono::hours(1));
Outcome try_put(LiveSessionStore& store, std::initializer_list<std::string_view> ids,
                std::string_view session, std::chrono::seconds lifetime = std::chrono::hours(1));
// The session as text; "none" where there is none.
std::string take(LiveSessionStore& store, std::string_view id);
bool erase(LiveSessionStore& store, std::string_view id);
std::uint64_t count(LiveSessionStore& store);
// The error that the request failed with; empty: it did not fail.
std::optional<StoreError> error_of(const Outcome& outcome);

// The clock of StoreOptions::clock, which stands still.
std::int64_t test_clock();
void set_test_clock(std::int64_t seconds);

}  // namespace sluice::session_stores::test
