#include "load/load_members.h"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <string_view>
#include <thread>

#include "common/client/client_ice.h"
#include "common/clock.h"
#include "common/ip_address.h"
#include "common/own_dtls.h"
#include "common/random_numbers.h"

namespace sluice::interop::load {
namespace {

constexpr std::chrono::milliseconds kLook{20};

// The address that the system would send from to the server.
tl::expected<dtls::UdpEndpoint, std::string> own_address(const LoadOptions& options) {
  if (!options.bind.empty()) {
    const auto address = common::parse_address(options.bind);
    if (!address) return tl::unexpected("no IP address: " + options.bind);
    return *address;
  }
  const auto url = parse_url(options.publish.empty() ? options.watch : options.publish);
  if (!url) return tl::unexpected(url.error());
  const auto server = resolve(*url);
  if (!server) return tl::unexpected(server.error());
  return address_towards(*server);
}

std::string with_room(std::string url, std::size_t room) {
  constexpr std::string_view kPlace = "{n}";
  const auto at = url.find(kPlace);
  if (at != std::string::npos) url.replace(at, kPlace.size(), std::to_string(room));
  return url;
}

}  // namespace

tl::expected<std::unique_ptr<LoadMembers>, std::string> LoadMembers::make(
    const LoadOptions& options) {
  auto environment = dtls::Environment::make();
  if (!environment) return tl::unexpected(dtls::to_string(environment.error()));
  // All clients have one certificate: what a server does for it does not depend on that.
  auto own_dtls = common::make_own_dtls(*environment, "sluice-load");
  if (!own_dtls) return tl::unexpected(own_dtls.error());
  const auto own = own_address(options);
  if (!own) return tl::unexpected(own.error());
  std::unique_ptr<LoadMembers> made{new LoadMembers(options, std::move(own_dtls->config),
                                                    std::move(own_dtls->fingerprint), *own)};
  constexpr double kPercent = 100;
  for (std::size_t i = 0; i < options.threads; ++i) {
    auto worker = Worker::start({.loss = options.loss / kPercent, .seed = options.seed + i});
    if (!worker) return tl::unexpected(worker.error());
    made->workers_.push_back(*std::move(worker));
  }
  return made;
}

// ---- one client

ClientOffer LoadMembers::make_offer(bool publishes) const {
  ClientOffer offer{.publishes = publishes,
                    .has_nack = options_.has_nack && !publishes,
                    .ice = make_credentials(),
                    .fingerprint = fingerprint_};
  for (std::size_t seat = 0; seat < (publishes ? 1 : options_.seats); ++seat) {
    if (options_.has_audio) {
      offer.streams.push_back(
          {SectionKind::audio, rtp::Ssrc{common::random_u32()}, options_.audio_recording});
    }
    offer.streams.push_back(
        {SectionKind::video, rtp::Ssrc{common::random_u32()}, options_.video_recording});
  }
  return offer;
}

ViewerOptions LoadMembers::viewer_options(const PayloadKinds& kinds) const {
  return {.kinds = kinds,
          .asks_again = options_.has_nack,
          .video = options_.video_recording,
          .audio = options_.audio_recording};
}

tl::expected<decltype(Joining::role), std::string> LoadMembers::role_of(
    const ClientOffer& offer, const Answer& answer) const {
  if (!offer.publishes) {
    const auto kinds = accepted_kinds(offer, answer);
    if (!kinds) return tl::unexpected(kinds.error());
    return viewer_options(*kinds);
  }
  const auto types = accepted_types(offer, answer);
  if (!types) return tl::unexpected(types.error());
  std::vector<PublishedStream> streams;
  for (std::size_t i = 0; i < types->size(); ++i) {
    const bool is_audio = offer.streams[i].kind == SectionKind::audio;
    streams.push_back({.source = is_audio ? options_.audio : options_.video,
                       .recording = offer.streams[i].recording,
                       .ssrc = offer.streams[i].ssrc,
                       .payload_type = (*types)[i]});
  }
  return streams;
}

tl::expected<LoadMembers::Member, std::string> LoadMembers::try_join(Member member,
                                                                     const HttpEndpoint& endpoint,
                                                                     WhipClient& http) {
  Worker& worker = worker_of(member.id);
  auto socket = udp::Socket::bind(dtls::to_socket_address(own_), worker.socket_options());
  if (!socket) return tl::unexpected("a UDP socket: " + socket.error());
  ClientOffer offer = make_offer(member.publishes);
  offer.own = socket->own();
  const auto posted_at = common::now();
  auto agreed = negotiate(offer, endpoint, member.location, http);
  if (agreed) {
    const std::scoped_lock lock(mutex_);
    report_.answered.add(common::now() - posted_at);
  }
  const auto join = [&](Agreed both) {
    auto candidates = usable_candidates(both.remote.transport.candidates, offer.own);
    Joining joining{.id = member.id,
                    .socket = *std::move(socket),
                    .setup = {.dtls = dtls_,
                              .ice = offer.ice,
                              .answer = std::move(both.remote),
                              .candidates = std::move(candidates)},
                    .role = std::move(both.role),
                    .posted_at = posted_at};
    return worker.ask<tl::expected<void, std::string>>(
        [&joining](Worker& its) { return its.join(std::move(joining)); });
  };
  const auto joined = std::move(agreed).and_then(join);
  if (joined) return member;
  remove(member, http);
  return tl::unexpected(joined.error());
}

tl::expected<LoadMembers::Agreed, std::string> LoadMembers::negotiate(const ClientOffer& offer,
                                                                      const HttpEndpoint& endpoint,
                                                                      std::string& location,
                                                                      WhipClient& http) const {
  const auto posted = http.post(endpoint, write_offer(offer));
  if (!posted) {
    const auto& counter = posted.error().counter_offer;
    if (!counter || offer.publishes) return tl::unexpected(posted.error().sentence);
    location = counter->location;
    return answer(*counter, offer, endpoint, http);
  }
  location = posted->location;
  const auto remote = read_answer(posted->answer);
  if (!remote) return tl::unexpected("the answer: " + remote.error().sentence);
  const auto role = role_of(offer, *remote);
  if (!role) return tl::unexpected(role.error());
  return Agreed{*remote, *role};
}

tl::expected<LoadMembers::Agreed, std::string> LoadMembers::answer(const CounterOffer& counter,
                                                                   const ClientOffer& offer,
                                                                   const HttpEndpoint& endpoint,
                                                                   WhipClient& http) const {
  const auto remote = read_offer(counter.offer);
  if (!remote) return tl::unexpected("the server's offer: " + remote.error().sentence);
  const auto taken = take_offer(offer, *remote);
  if (!taken) return tl::unexpected(taken.error());
  const auto answered = http.answer(endpoint, counter.location, taken->answer);
  if (!answered) return tl::unexpected("the answer to its offer: " + answered.error());
  return Agreed{*remote, viewer_options(taken->kinds)};
}

void LoadMembers::join(bool publishes, WhipClient& http) {
  Member member{.publishes = publishes};
  std::size_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    member.id = MemberId{next_id_++};
    number = begun_.at(publishes ? 1 : 0)++;
    ++(publishes ? report_.publishers : report_.viewers);
  }
  const auto url =
      parse_url(with_room(publishes ? options_.publish : options_.watch, number % options_.rooms));
  const HttpEndpoint endpoint{.url = url.value_or(Url{}),
                              .token = publishes ? options_.publish_token : options_.watch_token,
                              .is_insecure = options_.is_insecure};
  auto joined = try_join(std::move(member), endpoint, http);
  const std::scoped_lock lock(mutex_);
  if (joined) {
    (publishes ? publishers_ : viewers_).push_back(*std::move(joined));
  } else {
    report_.fail(joined.error());
  }
}

void LoadMembers::remove(const Member& member, WhipClient& http) {
  if (member.location.empty() || options_.vanishes) return;
  const auto removed =
      http.remove({.token = member.publishes ? options_.publish_token : options_.watch_token,
                   .is_insecure = options_.is_insecure},
                  member.location);
  const std::scoped_lock lock(mutex_);
  if (!removed) report_.fail("end of a session: " + removed.error());
}

void LoadMembers::replace_viewer(std::size_t place, WhipClient& http) {
  Member member;
  {
    const std::scoped_lock lock(mutex_);
    member = std::exchange(viewers_.at(place), viewers_.back());
    viewers_.pop_back();
  }
  Worker& worker = worker_of(member.id);
  // Before the server hears of it: the end that follows is no failure.
  const auto report = worker.ask<std::optional<MemberReport>>(
      [&](Worker& its) { return its.report_of(member.id); });
  remove(member, http);
  worker.run([&](Worker& its) { its.leave(member.id, options_.vanishes); });
  {
    const std::scoped_lock lock(mutex_);
    if (report) report_.add(*report, true);
  }
  join(false, http);
}

// ---- all clients

template <class Work>
bool LoadMembers::in_parallel(std::size_t count, Work work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> goes_on = true;
  const auto take_turns = [&] {
    WhipClient http;
    for (std::size_t i = next++; i < count && goes_on; i = next++) {
      if (!work(i, http)) goes_on = false;
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(options_.parallel);
  for (std::size_t i = 0; i < std::min(options_.parallel, count); ++i) {
    threads.emplace_back(take_turns);
  }
  for (std::thread& thread : threads) thread.join();
  return goes_on;
}

bool LoadMembers::join_all(bool publish, std::size_t count) {
  const auto start = common::now();
  const auto join_in_time = [&](std::size_t number, WhipClient& http) {
    constexpr double kMicroseconds = 1e6;
    const double after = options_.ramp > 0 ? static_cast<double>(number) / options_.ramp : 0;
    const auto due = start + dtls::Duration(static_cast<std::int64_t>(after * kMicroseconds));
    if (wait(std::max(due - common::now(), dtls::Duration{}))) return false;
    join(publish, http);
    return true;
  };
  return in_parallel(count, join_in_time) && wait_connected();
}

bool LoadMembers::wait_connected() {
  const auto until = common::now() + options_.connect_timeout;
  while (common::now() < until) {
    std::size_t connecting = 0;
    for (const auto& worker : workers_) {
      connecting += worker->ask<std::size_t>([](Worker& its) { return its.connecting(); });
    }
    if (connecting == 0) return true;
    if (wait(kLook)) return false;
  }
  return true;
}

std::size_t LoadMembers::viewers() {
  const std::scoped_lock lock(mutex_);
  return viewers_.size();
}

Traffic LoadMembers::traffic() {
  Traffic traffic;
  {
    const std::scoped_lock lock(mutex_);
    traffic = {report_.received.packets, report_.received.bytes};
  }
  for (const auto& worker : workers_) {
    traffic.add(worker->ask<Traffic>([](Worker& its) { return its.traffic(); }));
  }
  return traffic;
}

void LoadMembers::stop_publishers() {
  for (const auto& worker : workers_) {
    worker->run([](Worker& its) { its.stop_publishers(); });
  }
}

LoadReport LoadMembers::end() {
  using Reports = std::vector<MemberReport>;
  const auto reports = [this](const SentPackets& sent) {
    Reports all;
    for (const auto& worker : workers_) {
      std::ranges::move(worker->ask<Reports>([&](Worker& its) { return its.report(sent); }),
                        std::back_inserter(all));
    }
    return all;
  };
  SentPackets sent;
  for (const MemberReport& each : reports({})) sent.insert(each.sent.begin(), each.sent.end());
  for (const MemberReport& each : reports(sent)) {
    report_.add(each);
    if (!each.connected_after && each.end.empty()) report_.fail("not connected in time");
  }
  std::vector<Member> all = viewers_;
  all.insert(all.end(), publishers_.begin(), publishers_.end());
  in_parallel(all.size(), [&](std::size_t i, WhipClient& http) {
    remove(all[i], http);
    return true;
  });
  for (const Member& member : all) {
    worker_of(member.id).run([&](Worker& its) { its.leave(member.id, options_.vanishes); });
  }
  return report_;
}

bool LoadMembers::wait(dtls::Duration duration) const {
  pollfd stop{.fd = options_.stop_descriptor, .events = POLLIN, .revents = 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return poll(&stop, 1, static_cast<int>(left)) > 0;
}

}  // namespace sluice::interop::load
