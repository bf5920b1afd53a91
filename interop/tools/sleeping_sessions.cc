#include "tools/sleeping_sessions.h"

#include <sluice/session_stores/lmdb_store.h>
#include <sluice/session_stores/memory_store.h>
#include <sluice/session_stores/redis_store.h>

#include <deque>
#include <span>
#include <string_view>
#include <unordered_map>
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
      return stores::make_lmdb_store({.folder = address.place});
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

  void put(const dtls::SessionState& state, const dtls::UdpEndpoint& peer) override {
    const auto sealed = keys_.seal(environment_, encode_stored(state, peer).bytes(), context());
    if (!sealed) return refuse({.error = to_string(sealed.error())});
    const std::vector<dtls::ConnectionId> ids = state.own_connection_ids();
    std::vector<dtls::Bytes> names;
    for (const dtls::ConnectionId& id : ids) names.push_back(id.bytes());
    const auto accepted =
        store_->put(kPut, {.connection_ids = names, .session = *sealed, .lifetime = kLifetime});
    if (!accepted) refuse({.error = std::string(to_string(accepted.error()))});
  }

  void take(dtls::WantedSession wanted, dtls::Bytes connection_id) override {
    const auto token = static_cast<stores::RequestToken>(next_token_++);
    const auto accepted = store_->take(token, connection_id);
    if (!accepted) {
      return refuse({.wanted = wanted, .error = std::string(to_string(accepted.error()))});
    }
    wanted_.emplace(token, wanted);
  }

  std::optional<StoreOutcome> poll() override {
    if (!refused_.empty()) {
      StoreOutcome first = std::move(refused_.front());
      refused_.pop_front();
      return first;
    }
    const auto completion = store_->poll();
    if (!completion) return std::nullopt;
    StoreOutcome outcome;
    if (const auto known = wanted_.extract(completion->token); !known.empty()) {
      outcome.wanted = known.mapped();
    }
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
  static constexpr stores::RequestToken kPut{0};

  static dtls::Bytes context() { return std::as_bytes(std::span(kContext)); }

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

  void refuse(StoreOutcome outcome) { refused_.push_back(std::move(outcome)); }

  std::unique_ptr<stores::LiveSessionStore> store_;
  dtls::Environment& environment_;
  const dtls::StateKeys& keys_;
  std::uint64_t next_token_ = static_cast<std::uint64_t>(kPut) + 1;
  std::unordered_map<stores::RequestToken, dtls::WantedSession> wanted_;
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
