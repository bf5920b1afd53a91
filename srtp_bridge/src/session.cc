#include <atomic>
#include <utility>

#include <sluice/srtp/session.h>

#include "context.h"
#include "session_limits.h"

namespace sluice::srtp {
namespace {

// libsrtp refuses a smaller window.
constexpr std::size_t kMinWindow = 64;

bool available(Cryptex mode) { return mode == Cryptex::off || has_cryptex(); }

[[gnu::cold]] void count_failure(PacketError error, Statistics::Counters& counters) {
  ++counters.failures[static_cast<std::size_t>(error)];
}

Outcome counted(Outcome outcome, PacketKind kind, Statistics::Counters& counters) {
  if (!outcome) {
    count_failure(outcome.error(), counters);
    return outcome;
  }
  ++(kind == PacketKind::rtp ? counters.rtp : counters.rtcp);
  return outcome;
}

}  // namespace

bool valid(const SessionOptions& options) {
  return options.replay_window >= kMinWindow && options.replay_window <= kMaxWindow &&
         options.max_ssrcs >= 1 && options.max_ssrcs <= kMaxSsrcs &&
         options.repeat_window <= kMaxWindow && options.cryptex <= Cryptex::required;
}

tl::expected<void, SetupError> supported(dtls::SrtpProfile profile) {
  // A bit for each code point that is known to work.
  static std::atomic<std::uint64_t> works = 0;
  const auto* const known = profile_of(profile);
  if (known == nullptr) return tl::unexpected(SetupError::unsupported_profile);
  const auto bit = std::uint64_t{1} << static_cast<unsigned>(profile);
  if ((works & bit) != 0) return {};
  dtls::SrtpMasterKey key(known->master_key);
  dtls::SrtpKeys keys{.profile = profile, .local = key.clone(), .remote = std::move(key)};
  const auto session = Session::make(std::move(keys));
  if (!session) return tl::unexpected(session.error());
  works |= bit;
  return {};
}

// What is done for each kind of packet is compiled for each by itself.
class Session::Impl {
 public:
  Impl(dtls::SrtpProfile profile, Cryptex cryptex, Context inbound, Context outbound)
      : profile_(profile),
        cryptex_(cryptex),
        inbound_(std::move(inbound)),
        outbound_(std::move(outbound)) {
    inbound_.count_displaced(statistics_.inbound.ssrcs_displaced);
    outbound_.count_displaced(statistics_.outbound.ssrcs_displaced);
  }

  template <PacketKind Kind>
  Outcome protect(MutableBytes buffer, std::size_t size) {
    return counted(outbound_.protect<Kind>(buffer, size), Kind, statistics_.outbound);
  }

  template <PacketKind Kind>
  Outcome unprotect(MutableBytes packet) {
    return counted(inbound_.unprotect<Kind>(packet), Kind, statistics_.inbound);
  }

  Context& context(Direction direction) {
    return direction == Direction::inbound ? inbound_ : outbound_;
  }
  [[nodiscard]] dtls::SrtpProfile profile() const { return profile_; }
  [[nodiscard]] Cryptex cryptex() const { return cryptex_; }
  bool set_cryptex(Cryptex mode) {
    cryptex_ = mode;
    const bool is_set = inbound_.set_cryptex(mode);
    return outbound_.set_cryptex(mode) && is_set;
  }
  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  dtls::SrtpProfile profile_;
  Cryptex cryptex_;
  Context inbound_;
  Context outbound_;
  Statistics statistics_;
};

Session::Session(std::unique_ptr<Impl> impl)
    : impl_(std::move(impl)), statistics_(&impl_->statistics()) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

tl::expected<Session, SetupError> Session::make(dtls::SrtpKeys&& keys, SessionOptions options) {
  // Moving wipes the source; these are wiped as they go out of scope.
  auto owned = std::move(keys);
  const auto* const profile = profile_of(owned.profile);
  if (profile == nullptr || owned.local.size() != profile->master_key ||
      owned.remote.size() != profile->master_key || owned.mki.size() > kMaxMki) {
    return tl::unexpected(SetupError::invalid_keys);
  }
  if (!valid(options)) return tl::unexpected(SetupError::invalid_options);
  if (!available(options.cryptex)) return tl::unexpected(SetupError::unsupported_cryptex);
  if (const auto ready = initialize(); !ready) return tl::unexpected(ready.error());

  auto inbound =
      Context::make(Direction::inbound, *profile, std::move(owned.remote), owned.mki, options);
  if (!inbound) return tl::unexpected(inbound.error());
  auto outbound =
      Context::make(Direction::outbound, *profile, std::move(owned.local), owned.mki, options);
  if (!outbound) return tl::unexpected(outbound.error());
  return Session(std::make_unique<Impl>(owned.profile, options.cryptex, std::move(*inbound),
                                        std::move(*outbound)));
}

SrtpState Session::export_state() && {
  const auto impl = std::move(impl_);
  StreamStates states{.profile = impl->profile()};
  impl->context(Direction::outbound).export_outbound(states);
  impl->context(Direction::inbound).export_inbound(states);
  return SrtpState(states.encode());
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): a state is restored once.
tl::expected<Session, SetupError> Session::restore(dtls::SrtpKeys&& keys, SrtpState state,
                                                   SessionOptions options) {
  auto owned = std::move(keys);
  auto states = StreamStates::decode(state.bytes());
  if (!states || states->profile != owned.profile) {
    return tl::unexpected(SetupError::foreign_state);
  }
  auto session = make(std::move(owned), options);
  if (!session) return session;
  const auto outbound = session->impl_->context(Direction::outbound).restore_outbound(*states);
  if (!outbound) return tl::unexpected(outbound.error());
  const auto inbound = session->impl_->context(Direction::inbound).restore_inbound(*states);
  if (!inbound) return tl::unexpected(inbound.error());
  return session;
}

Outcome Session::protect(PacketKind kind, MutableBytes buffer, std::size_t size) {
  return kind == PacketKind::rtp ? impl_->protect<PacketKind::rtp>(buffer, size)
                                 : impl_->protect<PacketKind::rtcp>(buffer, size);
}

Outcome Session::unprotect(PacketKind kind, MutableBytes packet) {
  return kind == PacketKind::rtp ? impl_->unprotect<PacketKind::rtp>(packet)
                                 : impl_->unprotect<PacketKind::rtcp>(packet);
}

tl::expected<void, SetupError> Session::set_cryptex(Cryptex mode) {
  if (mode > Cryptex::required) return tl::unexpected(SetupError::invalid_options);
  if (!available(mode) || !impl_->set_cryptex(mode)) {
    return tl::unexpected(SetupError::unsupported_cryptex);
  }
  return {};
}

Cryptex Session::cryptex() const { return impl_->cryptex(); }

bool Session::remove_ssrc(Direction direction, std::uint32_t ssrc) {
  return impl_->context(direction).remove_ssrc(ssrc);
}

std::optional<std::uint32_t> Session::roll_over_counter(Direction direction,
                                                        std::uint32_t ssrc) const {
  return impl_->context(direction).roll_over_counter(ssrc);
}

bool Session::expect_roll_over_counter(std::uint32_t ssrc, std::uint32_t counter) {
  return impl_->context(Direction::inbound).expect_roll_over_counter(ssrc, counter);
}

std::vector<std::uint32_t> Session::ssrcs(Direction direction) const {
  return impl_->context(direction).ssrcs();
}

std::vector<SsrcStatistics> Session::ssrc_statistics(Direction direction) const {
  return impl_->context(direction).ssrc_statistics();
}

dtls::SrtpProfile Session::profile() const { return impl_->profile(); }

std::string_view to_string(PacketError error) {
  switch (error) {
    case PacketError::authentication_failed:
      return "authentication_failed";
    case PacketError::replayed:
      return "replayed";
    case PacketError::malformed:
      return "malformed";
    case PacketError::no_key:
      return "no_key";
    case PacketError::too_many_ssrcs:
      return "too_many_ssrcs";
    case PacketError::ssrc_retired:
      return "ssrc_retired";
    case PacketError::buffer_too_small:
      return "buffer_too_small";
    case PacketError::key_exhausted:
      return "key_exhausted";
    case PacketError::internal:
      return "internal";
    case PacketError::index_reused:
      return "index_reused";
    case PacketError::header_in_clear:
      return "header_in_clear";
  }
  return "unknown";
}

std::string_view to_string(Cryptex mode) {
  switch (mode) {
    case Cryptex::off:
      return "off";
    case Cryptex::receive:
      return "receive";
    case Cryptex::on:
      return "on";
    case Cryptex::required:
      return "required";
  }
  return "unknown";
}

}  // namespace sluice::srtp
