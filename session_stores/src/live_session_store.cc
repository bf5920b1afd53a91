#include <sluice/session_stores/live_session_store.h>

#include <algorithm>

#include "request.h"

namespace sluice::session_stores {
namespace {

constexpr std::chrono::seconds kMaxLifetime = std::chrono::days(3650);

bool is_valid_id(Bytes id) { return !id.empty() && id.size() <= kMaxConnectionId; }

bool is_valid(const SessionToStore& session) {
  const auto ids = session.connection_ids;
  return !ids.empty() && ids.size() <= kMaxConnectionIds && std::ranges::all_of(ids, is_valid_id) &&
         !session.session.empty() && session.session.size() <= kMaxSession &&
         session.lifetime >= std::chrono::seconds(1) && session.lifetime <= kMaxLifetime;
}

constexpr auto kInvalid = tl::unexpected<StoreError>(StoreError::invalid_argument);

}  // namespace

std::string_view to_string(StoreError error) {
  switch (error) {
    case StoreError::invalid_argument:
      return "invalid argument";
    case StoreError::overloaded:
      return "overloaded";
    case StoreError::full:
      return "full";
    case StoreError::unavailable:
      return "unavailable";
    case StoreError::outcome_unknown:
      return "outcome unknown";
  }
  return "unknown";
}

LiveSessionStore::Accepted LiveSessionStore::put(RequestToken token,
                                                 const SessionToStore& session) {
  if (!is_valid(session)) return kInvalid;
  Put put{copy_of(session.connection_ids.front()),
          {session.lifetime.count(), {}, copy_of(session.session)}};
  for (const Bytes id : session.connection_ids.subspan(1)) {
    put.entry.other_connection_ids.push_back(copy_of(id));
  }
  return submit({token, std::move(put)});
}

LiveSessionStore::Accepted LiveSessionStore::take(RequestToken token, Bytes connection_id) {
  if (!is_valid_id(connection_id)) return kInvalid;
  return submit({token, Take{copy_of(connection_id)}});
}

LiveSessionStore::Accepted LiveSessionStore::erase(RequestToken token, Bytes connection_id) {
  if (!is_valid_id(connection_id)) return kInvalid;
  return submit({token, Erase{copy_of(connection_id)}});
}

LiveSessionStore::Accepted LiveSessionStore::count(RequestToken token) {
  return submit({token, Count{}});
}

}  // namespace sluice::session_stores
