#include "tools/sleeping_sessions.h"

#include <sluice/session_stores/lmdb_store.h>
#include <sluice/session_stores/memory_store.h>
#include <sluice/session_stores/redis_store.h>

#include <deque>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::interop::tools {
namespace {

namespace stores = session_stores;

// After that a silent peer makes a full handshake.
constexpr auto kLifetime = std::chrono::days{30};
// Binds what is sealed to its purpose. Whether a session has the connection ID that it was asked
// for by, the Endpoint checks.
constexpr std::string_view kContext = "sluice-dtls-server: live session";

using StoreOrError = dtls::Result<std::unique_ptr<stores::LiveSessionStore>>;

StoreOrError open_store(const StoreAddress& address) {
  switch (address.kind) {
    case StoreKind::memory:
      return stores::make_memory_store();
    case StoreKind::lmdb:
      return stores::make_lmdb_store({.folder = address.place, .exclusive = true});
    case StoreKind::redis:
      return stores::make_redis_store({.host = address.place, .port = address.port});
  }
  return {};
}

class SealedSessions final : public SleepingSessions {
 public:
  SealedSessions(std::unique_ptr<stores::LiveSessionStore> store, dtls::Environment& environment,
                 const dtls::StateKeys& keys)
      : store_(std::move(store)), environment_(environment), keys_(keys) {}

  StoreRequest put(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) override {
    const StoreRequest request = next_request();
    const auto sealed = keys_.seal(environment_, encode_stored(state, peer).bytes(), context());
    if (!sealed) {
      refuse(request, to_string(sealed.error()));
      return request;
    }
    const std::vector<dtls::ConnectionId> ids = state.own_connection_ids();
    std::vector<dtls::Bytes> names;
    names.reserve(1 + ids.size());
    if (!state.tag().empty()) names.push_back(state.tag());
    for (const dtls::ConnectionId& id : ids) names.push_back(id.bytes());
    return accept(
        request, store_->put(token_of(request),
                             {.connection_ids = names, .session = *sealed, .lifetime = kLifetime}));
  }

  StoreRequest take(dtls::Bytes connection_id) override {
    const StoreRequest request = next_request();
    return accept(request, store_->take(token_of(request), connection_id));
  }

  StoreRequest erase(dtls::Bytes tag) override {
    const StoreRequest request = next_request();
    return accept(request, store_->erase(token_of(request), tag));
  }

  std::optional<StoreOutcome> poll() override {
    if (!refused_.empty()) {
      StoreOutcome first = std::move(refused_.front());
      refused_.pop_front();
      return first;
    }
    const auto completion = store_->poll();
    if (!completion) return std::nullopt;
    StoreOutcome outcome{.request = static_cast<StoreRequest>(completion->token)};
    if (const auto* failed = std::get_if<stores::Failed>(&completion->outcome)) {
      outcome.error = to_string(failed->error);
    } else if (const auto* taken = std::get_if<stores::TakeDone>(&completion->outcome)) {
      if (!taken->session.empty()) open(taken->session, outcome);
    }
    return outcome;
  }

  [[nodiscard]] int descriptor() const override { return store_->wait_handle(); }
  [[nodiscard]] std::size_t pending() const override { return store_->pending() + refused_.size(); }

 private:
  static dtls::Bytes context() { return std::as_bytes(std::span(kContext)); }
  static stores::RequestToken token_of(StoreRequest request) {
    return static_cast<stores::RequestToken>(request);
  }
  StoreRequest next_request() { return static_cast<StoreRequest>(next_request_++); }

  StoreRequest accept(StoreRequest request, const stores::LiveSessionStore::Accepted& accepted) {
    if (!accepted) refuse(request, std::string(to_string(accepted.error())));
    return request;
  }
  void refuse(StoreRequest request, std::string why) {
    refused_.push_back({.request = request, .error = std::move(why)});
  }

  void open(dtls::Bytes sealed, StoreOutcome& outcome) {
    const auto opened = keys_.open(environment_, sealed, context());
    if (!opened) {
      outcome.error = to_string(opened.error());
      return;
    }
    auto session = decode_stored(opened->bytes());
    if (!session) {
      outcome.error = session.error();
      return;
    }
    outcome.session = *std::move(session);
  }

  std::unique_ptr<stores::LiveSessionStore> store_;
  dtls::Environment& environment_;
  const dtls::StateKeys& keys_;
  std::uint64_t next_request_ = 0;
  std::deque<StoreOutcome> refused_;
};

}  // namespace

tl::expected<std::unique_ptr<SleepingSessions>, std::string> open_sleeping_sessions(
    const StoreAddress& address, dtls::Environment& environment, const dtls::StateKeys& keys) {
  auto store = open_store(address);
  if (!store) return tl::unexpected("--store: " + to_string(store.error()));
  return std::make_unique<SealedSessions>(*std::move(store), environment, keys);
}

}  // namespace sluice::interop::tools
