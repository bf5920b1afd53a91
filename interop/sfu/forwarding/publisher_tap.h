// A receiver of what a publisher sends, beside its viewers.
#pragma once

#include <sluice/rtp/bytes.h>

namespace sluice::interop::sfu {

class Track;

class PublisherTap {
 public:
  PublisherTap() = default;
  PublisherTap(const PublisherTap&) = delete;
  PublisherTap& operator=(const PublisherTap&) = delete;
  virtual ~PublisherTap() = default;

  // Before the track is forwarded: Layer::burst() has what has come in this turn.
  virtual void on_burst(const Track& track) = 0;
  virtual void on_rtcp(rtp::Bytes compound) = 0;
};

}  // namespace sluice::interop::sfu
