#include "sfu/cluster/upstream.h"

#include <algorithm>
#include <utility>

#include "common/clock.h"

namespace sluice::interop::sfu {

tl::expected<std::unique_ptr<Upstream>, std::string> Upstream::make(PullSetup setup,
                                                                    const TrackOptions& options,
                                                                    dtls::Environment& environment,
                                                                    dtls::Instant now) {
  setup.session.consent_interval = kCheckInterval;
  setup.session.consent_limit = kCheckLimit;
  auto session = MediaSession::make(setup.session, environment, now);
  if (!session) return tl::unexpected(session.error());
  return std::unique_ptr<Upstream>{
      new Upstream(std::move(setup), options, *std::move(session), now)};
}

Upstream::Upstream(PullSetup setup, const TrackOptions& options, MediaSession session,
                   dtls::Instant now)
    : setup_(std::move(setup)),
      options_(options),
      session_(std::move(session)),
      connects_by_(now + kConnectLimit) {}

void Upstream::handle_datagram(dtls::MutableBytes datagram, const dtls::UdpEndpoint& from, Sfu& sfu,
                               dtls::Instant now) {
  if (!ended_.empty()) return;
  const bool was_connected = publisher_ != nullptr;
  session_.handle_datagram(datagram, from, now);
  drain(sfu, now);
  // Media that has waited for the handshake is not in the datagram.
  if (!was_connected) sfu.forward_pulled(now);
}

void Upstream::handle_timeout(Sfu& sfu, dtls::Instant now) {
  if (!ended_.empty()) return;
  session_.handle_timeout(now);
  drain(sfu, now);
  if (ended_.empty() && publisher_ == nullptr && now >= connects_by_) {
    fail("not connected in time", sfu, now);
  }
}

std::optional<dtls::Instant> Upstream::next_timeout() const {
  if (!ended_.empty()) return std::nullopt;
  const auto next = session_.next_timeout();
  return publisher_ == nullptr ? common::earlier(next, connects_by_) : next;
}

void Upstream::drain(Sfu& sfu, dtls::Instant now) {
  if (publisher_ == nullptr && session_.connected_at()) begin_publishing(sfu, now);
  while (const auto media = session_.poll_media()) {
    if (publisher_ != nullptr) sfu.take_media(*publisher_, *media, now);
  }
  if (!session_.end().empty()) fail(session_.end(), sfu, now);
}

void Upstream::begin_publishing(Sfu& sfu, dtls::Instant now) {
  std::vector<PublishedTrack> agreed;
  std::ranges::transform(setup_.tracks, std::back_inserter(agreed), &PulledTrack::agreed);
  const auto send = [this](rtp::Bytes compound) {
    return session_.send_rtcp(compound) ? compound.size() + srtp::kMaxTrailer + kUdpAndIp : 0;
  };
  auto made = std::make_unique<Publisher>(PublisherPeer{.path = send, .own_ssrc = random_ssrc()},
                                          std::move(agreed), options_, now, setup_.origin);
  for (std::size_t track = 0; track < setup_.tracks.size(); ++track) {
    const auto& sources = setup_.tracks[track].sources;
    for (std::size_t layer = 0; layer < sources.size(); ++layer) {
      made->tracks().at(track).layers().at(layer).expect(sources[layer]);
    }
  }
  auto added = sfu.add_pulled(setup_.room, std::move(made), now);
  if (!added) return fail(added.error(), sfu, now);
  publisher_ = *added;
}

void Upstream::fail(std::string why, Sfu& sfu, dtls::Instant now) {
  if (!ended_.empty()) return;
  end(sfu, now);
  ended_ = std::move(why);
}

// What has come is forwarded first: it points to the publisher's layers.
void Upstream::end(Sfu& sfu, dtls::Instant now) {
  if (!ended_.empty()) return;
  ended_ = kUnwanted;
  session_.close(now);
  if (publisher_ == nullptr) return;
  sfu.forward_pulled(now);
  sfu.remove_pulled(*publisher_, now);
  publisher_ = nullptr;
}

}  // namespace sluice::interop::sfu
