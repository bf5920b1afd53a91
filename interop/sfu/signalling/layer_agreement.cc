// What is agreed on with a node that takes all layers of a publisher.
#include <algorithm>
#include <utility>

#include "sfu/signalling/negotiation.h"

namespace sluice::interop::sfu {
namespace {

// The section sends this format and nothing else.
void narrow(ViewedStream& stream, AnsweredSection& answered, const Format& format) {
  const auto type = stream.payload_types.at(rtp::number(format.payload_type));
  stream.payload_types = {};
  stream.payload_types.at(rtp::number(format.payload_type)) = type;
  stream.rtx.reset();
  stream.seat = 0;
  std::erase_if(answered.codecs,
                [type](const Codec& codec) { return codec.payload_type != rtp::number(*type); });
}

}  // namespace

SdpResult<Agreement<ViewedStream>> agree_on_layers(Offer& offer,
                                                   const std::vector<const PublishedTrack*>& tracks,
                                                   rtp::Ssrc (*ssrc)()) {
  auto viewing = agree_on_viewing(offer, ssrc);
  if (!viewing) return viewing;
  Agreement<ViewedStream> agreement{.parts = {}, .answer = std::move(viewing->answer)};
  auto left = tracks;
  for (std::size_t i = 0; i < agreement.answer.size(); ++i) {
    AnsweredSection& answered = agreement.answer[i];
    if (!answered.stream) continue;
    const auto track = std::ranges::find_if(
        left, [&](const PublishedTrack* each) { return answered.stream->takes(*each->format); });
    if (track == left.end()) {
      offer.sections[i].rejected = "the publisher has nothing for it";
      answered = {};
      continue;
    }
    ViewedStream stream = *answered.stream;
    narrow(stream, answered, *(*track)->format);
    answered.rids = (*track)->rids;
    for (std::size_t layer = 0; layer < std::max<std::size_t>(answered.rids.size(), 1); ++layer) {
      if (layer > 0) stream.ssrc = ssrc();
      stream.layer = layer;
      answered.layers.push_back(stream.ssrc);
      agreement.parts.push_back(stream);
    }
    answered.stream = stream;
    answered.stream->ssrc = answered.layers.front();
    left.erase(track);
  }
  if (agreement.parts.empty()) {
    return tl::unexpected(SdpError{"The offer has nothing of what the publisher sends."});
  }
  return agreement;
}

}  // namespace sluice::interop::sfu
