#include "common/client/ice_agent.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "common/random_numbers.h"

namespace sluice::interop {
namespace {

// RFC 8445 section 14.2: the time between the first checks of two pairs.
constexpr std::chrono::milliseconds kPace{50};
// RFC 8489 section 6.2.1: the first time-out doubles with each repetition, and there are so many
// tries in all.
constexpr std::chrono::milliseconds kFirstTimeout{500};
constexpr int kTries = 7;
// RFC 8445 section 5.1.2.1: a host candidate of component 1; of checks a peer-reflexive one.
constexpr std::uint32_t kPeerReflexivePriority = (110U << 24) + (65535U << 8) + 255U;
// RFC 8445 section 7.3.1.1: who has the larger one stays in control. The offerer is in control, so
// this is no game of chance.
constexpr std::uint64_t kTieBreaker = std::numeric_limits<std::uint64_t>::max();

bool equal(dtls::Bytes bytes, const std::string& text) {
  return std::ranges::equal(bytes, std::as_bytes(std::span(text)));
}

}  // namespace

dtls::Result<IceAgent> IceAgent::make(IceOptions options, dtls::Environment& environment,
                                      dtls::Instant now) {
  auto local = stun::IntegrityKey::make(environment, options.local.pwd);
  if (!local) return tl::unexpected(local.error());
  auto remote = stun::IntegrityKey::make(environment, options.remote.pwd);
  if (!remote) return tl::unexpected(remote.error());
  IceAgent agent(std::move(options), environment, *std::move(local), *std::move(remote));
  for (const auto& candidate : agent.options_.candidates) {
    agent.add_pair(candidate, now + agent.pairs_.size() * kPace);
  }
  return agent;
}

IceAgent::IceAgent(IceOptions options, dtls::Environment& environment, stun::IntegrityKey local,
                   stun::IntegrityKey remote)
    : options_(std::move(options)),
      environment_(&environment),
      local_key_(std::move(local)),
      remote_key_(std::move(remote)) {}

void IceAgent::add_pair(const dtls::UdpEndpoint& peer, dtls::Instant due) {
  if (pairs_.size() == kMaxPairs || std::ranges::find(pairs_, peer, &Pair::peer) != pairs_.end()) {
    return;
  }
  pairs_.push_back({.peer = peer, .due = due});
}

// ---- checks

void IceAgent::begin_check(std::size_t index, bool nominates, dtls::Instant now) {
  Pair& pair = pairs_[index];
  std::ranges::generate(pair.transaction,
                        [] { return static_cast<std::byte>(common::random_u32() & 0xff); });
  pair.nominates = nominates;
  pair.tries = 0;
  pair.sent = now;
  send_check(pair, now);
}

void IceAgent::send_check(Pair& pair, dtls::Instant now) {
  pair.due = now + kFirstTimeout * (1 << pair.tries);
  ++pair.tries;
  // The longest user name has 513 bytes.
  std::array<std::byte, 700> bytes{};
  stun::Writer writer(bytes, stun::MessageClass::request, stun::Method::binding, pair.transaction);
  writer.username(options_.remote.ufrag + ":" + options_.local.ufrag);
  writer.priority(kPeerReflexivePriority);
  writer.ice_controlling(kTieBreaker);
  if (pair.nominates) writer.use_candidate();
  const auto size = writer.finish(*environment_, remote_key_);
  if (size) out_.push_back({pair.peer, {bytes.begin(), bytes.begin() + static_cast<long>(*size)}});
}

void IceAgent::handle_timeout(dtls::Instant now) {
  for (std::size_t i = 0; i < pairs_.size() && !has_failed_; ++i) {
    if (pairs_[i].due && *pairs_[i].due <= now) on_timeout(i, now);
  }
}

void IceAgent::on_timeout(std::size_t index, dtls::Instant now) {
  Pair& pair = pairs_[index];
  if (selected_ == index) {
    if (now >= consent_until_) return fail();
    // RFC 7675 section 5.1: each is a transaction of its own, and not repeated.
    begin_check(index, false, now);
    const auto spread = static_cast<std::uint32_t>(options_.consent_interval.count() / 2);
    pair.due =
        now + options_.consent_interval + dtls::Duration{common::random_u32() % (spread + 1)};
  } else if (selected_ || (pair.is_valid && pair.tries == 0)) {
    pair.due.reset();
  } else if (pair.tries == 0) {
    begin_check(index, false, now);
  } else if (pair.tries < kTries) {
    send_check(pair, now);
  } else {
    on_failed_check(index, now);
  }
}

void IceAgent::on_failed_check(std::size_t index, dtls::Instant now) {
  Pair& pair = pairs_[index];
  pair.due.reset();
  pair.tries = 0;
  pair.is_valid = pair.nominates = false;
  pair.has_failed = true;
  nominate(now);
  if (std::ranges::all_of(pairs_, &Pair::has_failed)) fail();
}

std::optional<dtls::Instant> IceAgent::next_timeout() const {
  std::optional<dtls::Instant> next;
  if (has_failed_) return next;
  for (const Pair& pair : pairs_) {
    if (pair.due && (!next || *pair.due < *next)) next = pair.due;
  }
  return next;
}

// ---- what comes

void IceAgent::handle_datagram(dtls::Bytes datagram, const dtls::UdpEndpoint& from,
                               dtls::Instant now) {
  const auto message = stun::decode(datagram);
  if (!message || message->method != stun::Method::binding || has_failed_) return;
  if (message->message_class == stun::MessageClass::request) return on_request(*message, from, now);
  const auto pair = std::ranges::find(pairs_, from, &Pair::peer);
  if (pair == pairs_.end() || pair->tries == 0 || pair->transaction != message->transaction ||
      !stun::verify_integrity(*message, *environment_, remote_key_)) {
    return;
  }
  const auto index = static_cast<std::size_t>(pair - pairs_.begin());
  if (message->message_class == stun::MessageClass::success_response) {
    on_response(*message, index, now);
  } else if (message->message_class == stun::MessageClass::error_response && selected_ != index) {
    on_failed_check(index, now);
  }
}

void IceAgent::on_request(const stun::Message& request, const dtls::UdpEndpoint& from,
                          dtls::Instant now) {
  const std::string username = options_.local.ufrag + ":" + options_.remote.ufrag;
  if (!request.username || !equal(*request.username, username) || !request.unknown.empty() ||
      !stun::verify_integrity(request, *environment_, local_key_)) {
    return;
  }
  const bool is_conflict = request.ice_controlling.has_value();
  respond(request, from, is_conflict);
  if (is_conflict) return;
  add_pair(from, now);  // RFC 8445 section 7.3.1.3: a peer-reflexive candidate
  const auto pair = std::ranges::find(pairs_, from, &Pair::peer);
  if (pair == pairs_.end()) return;
  validate(static_cast<std::size_t>(pair - pairs_.begin()));
  // Section 7.3.1.4: a check of ours follows.
  if (!selected_ && pair->tries == 0 && !pair->is_valid) pair->due = now;
}

void IceAgent::respond(const stun::Message& request, const dtls::UdpEndpoint& to,
                       bool is_conflict) {
  std::array<std::byte, 128> bytes{};
  stun::Writer writer(
      bytes,
      is_conflict ? stun::MessageClass::error_response : stun::MessageClass::success_response,
      request.method, request.transaction);
  if (is_conflict) {
    writer.error_code(487, "Role Conflict");
  } else {
    writer.xor_mapped_address(to);
  }
  const auto size = writer.finish(*environment_, local_key_);
  if (size) out_.push_back({to, {bytes.begin(), bytes.begin() + static_cast<long>(*size)}});
}

void IceAgent::on_response(const stun::Message& /*response*/, std::size_t index,
                           dtls::Instant now) {
  Pair& pair = pairs_[index];
  // The time to the answer of one of several tries says nothing.
  const auto round_trip =
      pair.tries == 1 ? std::optional(now - pair.sent) : std::optional<dtls::Duration>{};
  const bool was_nominated = std::exchange(pair.nominates, false);
  pair.tries = 0;
  pair.is_valid = true;
  if (selected_ == index) {
    consent_until_ = now + options_.consent_limit;
    return;
  }
  pair.due.reset();
  validate(index);
  if (was_nominated) return select(index, round_trip, now);
  nominate(now);
}

void IceAgent::validate(std::size_t index) {
  events_.push_back(
      {.what = IceEvent::What::validated, .path = dtls::PathId{static_cast<std::uint32_t>(index)}});
}

void IceAgent::nominate(dtls::Instant now) {
  if (selected_ || std::ranges::any_of(pairs_, &Pair::nominates)) return;
  const auto found = std::ranges::find_if(pairs_, &Pair::is_valid);
  if (found == pairs_.end()) return;
  begin_check(static_cast<std::size_t>(found - pairs_.begin()), true, now);
}

void IceAgent::select(std::size_t index, std::optional<dtls::Duration> round_trip,
                      dtls::Instant now) {
  selected_ = index;
  consent_until_ = now + options_.consent_limit;
  for (Pair& pair : pairs_) pair.due.reset();
  pairs_[index].due = now + options_.consent_interval;
  events_.push_back({.what = IceEvent::What::selected,
                     .path = dtls::PathId{static_cast<std::uint32_t>(index)},
                     .round_trip = round_trip});
}

void IceAgent::fail() {
  has_failed_ = true;
  events_.push_back({.what = IceEvent::What::failed});
}

// ---- outputs

std::optional<IceEvent> IceAgent::poll_event() {
  if (next_event_ == events_.size()) {
    events_.clear();
    next_event_ = 0;
    return std::nullopt;
  }
  return events_[next_event_++];
}

std::vector<Outgoing> IceAgent::take() { return std::exchange(out_, {}); }

std::optional<dtls::PathId> IceAgent::path_of(const dtls::UdpEndpoint& peer) const {
  const auto pair = std::ranges::find(pairs_, peer, &Pair::peer);
  if (pair == pairs_.end()) return std::nullopt;
  return dtls::PathId{static_cast<std::uint32_t>(pair - pairs_.begin())};
}

}  // namespace sluice::interop
