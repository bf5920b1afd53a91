#include "demo/echo_service.h"

#include <glib.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "common/clock.h"
#include "common/ip_address.h"
#include "common/random_numbers.h"
#include "demo/nice_calls.h"

namespace sluice::interop::demo {
namespace {

// How long an ended session keeps its statistics. A page that polls every second can then show why
// its call ended.
constexpr std::chrono::seconds kRemembered{30};
constexpr std::chrono::seconds kSweepPeriod{1};
// The resolution of SCTP's timers.
constexpr std::chrono::milliseconds kDataTick{10};

}  // namespace

tl::expected<std::unique_ptr<EchoService>, std::string> EchoService::make(ServiceOptions options,
                                                                          _GMainContext* context) {
  auto environment = dtls::Environment::make(
      {.key_log = options.key_log, .packet_observer = options.packet_observer});
  if (!environment) return tl::unexpected(dtls::to_string(environment.error()));
  auto identity = dtls::Identity::self_signed(*environment, "sluice-demo");
  if (!identity) return tl::unexpected(dtls::to_string(identity.error()));

  dtls::ConfigOptions config_options;
  config_options.identities = {std::move(*identity)};
  config_options.max_version = options.max_version;
  if (!options.srtp_profiles.empty()) config_options.srtp_profiles = options.srtp_profiles;
  // Shorter than the default, because browsers give up earlier.
  config_options.timers.total = std::chrono::seconds{30};
  auto config = dtls::Config::make(std::move(config_options));
  if (!config) return tl::unexpected(dtls::to_string(config.error()));
  auto kept = std::make_unique<dtls::Environment>(*std::move(environment));
  auto transports = options.agent == IceAgent::lite ? make_lite_calls(options.lite, *kept, context)
                                                    : make_nice_calls(options.ice, *kept, context);
  if (!transports) return tl::unexpected(transports.error());
  return std::unique_ptr<EchoService>{new EchoService(std::move(options), context, std::move(kept),
                                                      *std::move(config), *std::move(transports))};
}

template <void (EchoService::*Work)()>
_GSource* EchoService::start_timer(std::chrono::milliseconds period) {
  const GSourceFunc callback = [](gpointer self) -> gboolean {
    (static_cast<EchoService*>(self)->*Work)();
    return TRUE;  // keep the timer
  };
  GSource* timer = g_timeout_source_new(static_cast<guint>(period.count()));
  g_source_set_callback(timer, callback, this, nullptr);
  g_source_attach(timer, context_);
  return timer;
}

EchoService::EchoService(ServiceOptions options, _GMainContext* context,
                         std::unique_ptr<dtls::Environment> environment, dtls::ConfigPtr config,
                         std::unique_ptr<CallTransports> transports)
    : options_(std::move(options)),
      context_(context),
      environment_(std::move(environment)),
      config_(std::move(config)),
      transports_(std::move(transports)) {
  if (options_.max_sessions_per_address == 0) {
    options_.max_sessions_per_address = std::max<std::size_t>(options_.max_sessions / 2, 1);
  }
  data_timer_ = start_timer<&EchoService::run_data_timers>(kDataTick);
  sweep_timer_ = start_timer<&EchoService::sweep>(kSweepPeriod);
}

EchoService::~EchoService() {
  for (auto* timer : {data_timer_, sweep_timer_}) {
    g_source_destroy(timer);
    g_source_unref(timer);
  }
}

void EchoService::create(Offer offer, std::optional<Setup> setup, const std::string& address,
                         const std::function<void(CreateResult)>& done) {
  const auto chosen = choose_setup(offer.transport.setup, setup, options_.setup);
  if (!chosen) {
    done(tl::unexpected(Refused{.status = 400, .sentence = chosen.error().sentence}));
    return;
  }
  open(std::move(offer), *chosen, address, done);
}

void EchoService::create_offering(const std::string& address,
                                  const std::function<void(CreateResult)>& done) {
  open(own_offer(), Setup::actpass, address, done);
}

tl::expected<void, Refused> EchoService::take_answer(const std::string& id, Offer answer) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) {
    return tl::unexpected(Refused{.status = 404, .sentence = "There is no such session."});
  }
  if (auto taken = found->second.echo->take_answer(std::move(answer)); !taken) {
    return tl::unexpected(Refused{.status = 409, .sentence = std::move(taken.error().sentence)});
  }
  return {};
}

void EchoService::open(Offer offer, Setup setup, const std::string& address,
                       const std::function<void(CreateResult)>& done) {
  if (!make_room(address)) {
    done(tl::unexpected(Refused{.status = 503, .sentence = "There are too many sessions."}));
    return;
  }
  const std::string id = common::random_id();
  auto session = EchoSession::make(
      id, std::move(offer),
      {.dtls = config_, .setup = setup, .connect_timeout = options_.connect_timeout},
      {.transports = *transports_},
      [done, id](const std::string& sdp) { done(Created{.id = id, .sdp = sdp}); });
  if (!session) {
    done(tl::unexpected(Refused{.status = 500, .sentence = session.error().sentence}));
    return;
  }
  const auto made = sessions_.emplace(id, Session{.address = address, .echo = std::move(*session)});
  made.first->second.echo->answer_if_ready();
}

dtls::SecretBytes EchoService::move_out() {
  transports_->catch_up();
  MovedCalls moved{.left_at = common::system_time(), .calls = {}};
  for (const auto& [id, session] : sessions_) {
    if (session.echo->state() == SessionState::ended) continue;
    auto call = session.echo->move_out();
    if (!call) {
      std::clog << "session " + id.substr(0, 8) + ": cannot move, " + call.error() + "\n";
      continue;
    }
    call->address = session.address;
    moved.calls.push_back(*std::move(call));
  }
  return encode(moved);
}

tl::expected<std::size_t, std::string> EchoService::move_in(dtls::Bytes bytes) {
  const auto moved = decode_moved_calls(bytes);
  if (!moved) return tl::unexpected(moved.error());
  const dtls::Duration away = common::since(moved->left_at);
  std::size_t restored = 0;
  for (const MovedCall& call : moved->calls) {
    auto session = EchoSession::restore(
        call, away, {.dtls = config_, .connect_timeout = options_.connect_timeout},
        {.transports = *transports_});
    if (!session) {
      std::clog << "session " + call.id.substr(0, 8) + ": lost, " + session.error().sentence + "\n";
      continue;
    }
    sessions_.emplace(call.id, Session{.address = call.address, .echo = *std::move(session)});
    ++restored;
  }
  return restored;
}

// A new session may take the place of an ended one. One address leaves room for others.
bool EchoService::make_room(const std::string& address) {
  const auto is_ended = [](const auto& entry) {
    return entry.second.echo->state() == SessionState::ended;
  };
  const auto of_address =
      std::ranges::count_if(sessions_, [&, host = common::host_of(address)](const auto& entry) {
        return common::host_of(entry.second.address) == host && !is_ended(entry);
      });
  if (static_cast<std::size_t>(of_address) >= options_.max_sessions_per_address) return false;
  if (sessions_.size() < options_.max_sessions) return true;
  const auto ended = std::ranges::find_if(sessions_, is_ended);
  if (ended == sessions_.end()) return false;
  sessions_.erase(ended);
  return true;
}

bool EchoService::remove(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return false;
  found->second.echo->end("deleted");
  sessions_.erase(found);
  return true;
}

std::optional<std::string> EchoService::statistics(const std::string& id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return std::nullopt;
  return found->second.echo->statistics();
}

void EchoService::run_data_timers() {
  const auto time = common::now();
  for (const auto& [id, session] : sessions_) session.echo->run_data_timers(time);
}

void EchoService::sweep() {
  const auto time = common::now();
  for (const auto& [id, session] : sessions_) session.echo->check_deadline(time);
  std::erase_if(sessions_, [time](const auto& entry) {
    const auto& session = *entry.second.echo;
    return session.state() == SessionState::ended && time - session.ended_at() > kRemembered;
  });
}

}  // namespace sluice::interop::demo
