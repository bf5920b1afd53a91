#include "ice_generations.h"

#include <algorithm>
#include <utility>

#include "rtt_bound.h"

namespace sluice::nice {
namespace {

std::optional<std::chrono::microseconds> span(std::optional<gint64> from,
                                              std::optional<gint64> to) {
  if (!from || !to) return std::nullopt;
  return std::chrono::microseconds(*to - *from);
}

}  // namespace

class IceGenerations::Generation final : public IceAgent::Handler {
 public:
  Generation(IceGenerations& owner, dtls::PathId own_path)
      : path(own_path),
        begun_at(g_get_monotonic_time()),
        owner_(owner),
        agent_(owner.context_, owner.options_, *this) {}

  [[nodiscard]] bool is_newest() const { return &owner_.newest() == this; }
  [[nodiscard]] IceAgent& agent() { return agent_; }

  // Entered by a state of libnice's or at our deadline. The handler is called for the newest
  // generation only.
  void enter(IceState next) {
    if (state == next) return;
    state = next;
    if (is_newest()) owner_.handler_.on_ice_state(next);
  }

  const dtls::PathId path;
  const gint64 begun_at;
  IceState state = IceState::gathering;
  std::optional<CandidatePair> selected;
  std::vector<std::string> local_candidates;
  std::optional<gint64> gathered_at;
  std::optional<IceCredentials> remote;
  struct KnownSince {
    std::string address;
    std::uint16_t port;
    gint64 since;
  };
  std::vector<KnownSince> known_since;  // remote candidates, at most kMaxRemoteCandidates
  std::optional<dtls::Duration> rtt;    // of the selected pair, at most
  bool remote_complete = false;
  std::optional<gint64> described_at;
  std::optional<gint64> connected_at;
  std::optional<gint64> deadline;

 private:
  void on_local_candidate(std::string line) override {
    // RFC 8838 section 9: by its ufrag the peer sees that a late candidate is of an old generation.
    line += " ufrag " + agent_.local_credentials().ufrag;
    local_candidates.push_back(line);
    if (is_newest()) owner_.handler_.on_local_candidate(std::move(line));
  }

  void on_gathering_done() override {
    gathered_at = g_get_monotonic_time();
    if (is_newest()) owner_.handler_.on_local_candidates_done();
  }

  void on_state(IceState next) override {
    // RFC 8838 section 8: ICE hasn't failed as long as candidates may still come.
    if (next == IceState::failed && deadline && !remote_complete) return;
    // Consent lost, or all pairs have failed: nothing may be sent here (RFC 7675 section 5.1).
    if (next == IceState::failed && selected) {
      selected.reset();
      owner_.handler_.on_path_lost(path);
      if (const auto* other = owner_.sending()) {
        owner_.handler_.on_path_selected(other->path, *other->selected, other->rtt);
      }
    }
    enter(next);
  }

  void on_selected_pair(CandidatePair pair) override {
    if (!connected_at) connected_at = g_get_monotonic_time();
    deadline.reset();
    selected = pair;
    rtt = rtt_bound(check_possible(pair.remote), g_get_monotonic_time());
    // The previous generation may find a better pair yet, but it is no longer the one that sends.
    if (owner_.sending() == this) owner_.handler_.on_path_selected(path, std::move(pair), rtt);
  }

  // When a check of this candidate could be sent: a peer-reflexive one is not in the list.
  [[nodiscard]] gint64 check_possible(const CandidateInfo& candidate) const {
    const auto known = std::find_if(known_since.begin(), known_since.end(), [&](const auto& each) {
      return each.address == candidate.address && each.port == candidate.port;
    });
    const auto described = described_at.value_or(begun_at);
    return known != known_since.end() ? std::max(known->since, described) : described;
  }

  void on_datagram(dtls::MutableBytes datagram) override {
    owner_.totals_.datagrams_received += 1;
    owner_.totals_.bytes_received += datagram.size();
    owner_.handler_.on_datagram(path, datagram);
  }

  IceGenerations& owner_;
  IceAgent agent_;
};

IceGenerations::IceGenerations(GMainContext* context, IceOptions options, Handler& handler)
    : context_(context), options_(std::move(options)), handler_(handler) {}

IceGenerations::~IceGenerations() = default;

TransportResult<void> IceGenerations::begin() {
  auto next = std::make_unique<Generation>(*this, dtls::PathId{begun_});
  auto& generation = *next;
  generations_.push_back(std::move(next));
  if (auto gathering = generation.agent().gather(); !gathering) {
    generations_.pop_back();
    return gathering;
  }
  begun_ += 1;
  retire_at_.reset();
  handler_.on_ice_state(IceState::gathering);
  keep_newest_and(sending(&generation));
  return {};
}

dtls::PathId IceGenerations::path() const { return newest().path; }
bool IceGenerations::selected() const { return newest().selected.has_value(); }
bool IceGenerations::gathered() const { return newest().gathered_at.has_value(); }

IceCredentials IceGenerations::local_credentials() const {
  return newest().agent().local_credentials();
}

const std::vector<std::string>& IceGenerations::local_candidates() const {
  return newest().local_candidates;
}

const std::optional<IceCredentials>& IceGenerations::remote_credentials() const {
  return newest().remote;
}

void IceGenerations::set_remote_credentials(const IceCredentials& credentials) {
  auto& generation = newest();
  generation.remote = credentials;
  generation.described_at = g_get_monotonic_time();
  if (options_.timeout.count() > 0 && !generation.selected) {
    generation.deadline =
        *generation.described_at + std::chrono::microseconds(options_.timeout).count();
  }
  generation.agent().set_remote_credentials(credentials);
}

CandidateStatus IceGenerations::add_remote_candidate(std::string_view line) {
  const auto status = try_candidate(line);
  if (status != CandidateStatus::added) totals_.remote_candidates_ignored += 1;
  return status;
}

CandidateStatus IceGenerations::try_candidate(std::string_view line) {
  if (!begun() || !newest().remote) return CandidateStatus::no_remote_description;
  auto& generation = newest();
  const auto candidate = parse_candidate(line);
  if (!candidate) {
    return candidate.error() == CandidateProblem::malformed ? CandidateStatus::malformed
                                                            : CandidateStatus::unusable;
  }
  if (!candidate->ufrag.empty() && candidate->ufrag != generation.remote->ufrag) {
    return CandidateStatus::stale;
  }
  if (generation.known_since.size() == kMaxRemoteCandidates) return CandidateStatus::too_many;
  if (!generation.agent().add_remote_candidate(*candidate)) return CandidateStatus::unusable;
  generation.known_since.push_back(
      {.address = candidate->address, .port = candidate->port, .since = g_get_monotonic_time()});
  return CandidateStatus::added;
}

void IceGenerations::end_of_remote_candidates() {
  newest().remote_complete = true;
  newest().agent().end_of_remote_candidates();
}

IceSend IceGenerations::send(dtls::PathId path, dtls::Bytes datagram) {
  const auto found = std::find_if(generations_.begin(), generations_.end(),
                                  [path](const auto& each) { return each->path == path; });
  const auto result =
      found == generations_.end() ? IceSend::would_block : (*found)->agent().send(datagram);
  if (result == IceSend::sent) {
    totals_.datagrams_sent += 1;
    totals_.bytes_sent += datagram.size();
  } else {
    (result == IceSend::would_block ? totals_.sends_blocked : totals_.sends_refused) += 1;
  }
  return result;
}

std::vector<dtls::PathId> IceGenerations::selected_paths() const {
  std::vector<dtls::PathId> paths;
  for (const auto& each : generations_) {
    if (each->selected) paths.push_back(each->path);
  }
  return paths;
}

void IceGenerations::retire_previous(gint64 linger) {
  if (generations_.size() > 1 && !retire_at_) retire_at_ = g_get_monotonic_time() + linger;
}

void IceGenerations::handle_timeout() {
  const auto now = g_get_monotonic_time();
  if (retire_at_ && *retire_at_ <= now) {
    retire_at_.reset();
    keep_newest_and(nullptr);
  }
  if (begun() && newest().deadline && *newest().deadline <= now) {
    newest().deadline.reset();
    newest().enter(IceState::failed);
  }
}

std::optional<gint64> IceGenerations::next_timeout() const {
  const auto deadline = begun() ? newest().deadline : std::nullopt;
  if (!deadline || !retire_at_) return deadline ? deadline : retire_at_;
  return std::min(*deadline, *retire_at_);
}

IceStatistics IceGenerations::statistics() const {
  auto statistics = totals_;
  if (!begun()) return statistics;
  statistics.state = newest().state;
  statistics.gathering_time = span(newest().begun_at, newest().gathered_at);
  statistics.connecting_time = span(newest().described_at, newest().connected_at);
  statistics.restarts = begun_ - 1;
  if (const auto* generation = sending()) {
    statistics.selected_pair = generation->selected;
    statistics.rtt_bound = generation->rtt;
  }
  return statistics;
}

// The newest generation with a pair, but not `other`.
const IceGenerations::Generation* IceGenerations::sending(const Generation* other) const {
  const auto found =
      std::find_if(generations_.rbegin(), generations_.rend(),
                   [&](const auto& each) { return each.get() != other && each->selected; });
  return found == generations_.rend() ? nullptr : found->get();
}

void IceGenerations::keep_newest_and(const Generation* kept) {
  const auto* const last = &newest();
  std::erase_if(generations_, [&](const auto& each) {
    if (each.get() == last || each.get() == kept) return false;
    handler_.on_path_lost(each->path);
    return true;
  });
}

}  // namespace sluice::nice
