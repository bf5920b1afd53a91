#include "load/recording/recording.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>
#include <utility>

#include "load/recording/ivf_file.h"
#include "load/recording/ogg_file.h"
#include "load/recording/packetizer.h"

namespace sluice::interop::load {
namespace {

constexpr std::uint32_t kVideoClock = 90'000;
constexpr std::uint32_t kAudioClock = 48'000;

std::string_view as_text(rtp::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

tl::expected<std::shared_ptr<const Recording>, std::string> Recording::read(SectionKind kind,
                                                                            const std::string& path,
                                                                            std::size_t most) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return tl::unexpected("can't read " + path);
  const auto size = file.tellg();
  if (size < 0 || static_cast<std::size_t>(size) > kMaxRecording) {
    return tl::unexpected(path + " has more than " + std::to_string(kMaxRecording >> 20) + " MiB");
  }
  file.seekg(0);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!file.read(bytes.data(), size)) return tl::unexpected("can't read " + path);
  auto recording = of(kind, std::as_bytes(std::span(bytes)), most);
  if (!recording) return tl::unexpected(path + ": " + recording.error());
  return recording;
}

tl::expected<std::shared_ptr<const Recording>, std::string> Recording::of(SectionKind kind,
                                                                          rtp::Bytes file,
                                                                          std::size_t most) {
  const bool is_video = kind == SectionKind::video;
  std::shared_ptr<Recording> made(new Recording(kind, is_video ? kVideoClock : kAudioClock));
  const auto taken = is_video ? made->take_video(file, most) : made->take_audio(file, most);
  if (!taken) return tl::unexpected(taken.error());
  made->make_index();
  return made;
}

tl::expected<void, std::string> Recording::take_video(rtp::Bytes file, std::size_t most) {
  const auto ivf = read_ivf(file);
  if (!ivf) return tl::unexpected(ivf.error());
  const Packetizer* const packetizer = packetizer_of(ivf->codec);
  if (packetizer == nullptr) {
    return tl::unexpected("its codec is " + ivf->codec + ", and not VP80, VP90 or AV01");
  }
  codec_ = packetizer->codec;
  const std::uint64_t first = ivf->frames.front().time;
  const auto ticks = [&](std::uint64_t time) {
    return static_cast<std::uint64_t>(static_cast<double>(time - first) * kVideoClock * ivf->scale /
                                      ivf->rate);
  };
  for (const IvfFrame& frame : ivf->frames) {
    const auto is_key_frame = packetizer->is_key_frame(frame.data);
    const std::string name = "frame " + std::to_string(frames_.size());
    if (!is_key_frame) return tl::unexpected(name + " is no frame of " + codec_);
    if (frames_.empty() && !*is_key_frame) {
      return tl::unexpected<std::string>("it does not begin with a key frame");
    }
    add(ticks(frame.time), *is_key_frame, packetizer->packetize(frame.data, most));
  }
  if (codec_ == "VP9") {
    parameters_ = "profile-id=" + std::to_string(vp9_profile(ivf->frames.front().data));
  }
  // The last frame lasts as long as the one before.
  const std::uint64_t last = frames_.back().time;
  const std::uint64_t before = frames_.size() > 1 ? frames_[frames_.size() - 2].time : 0;
  duration_ = last + std::max<std::uint64_t>(last - before, kVideoClock / 1000);
  return {};
}

tl::expected<void, std::string> Recording::take_audio(rtp::Bytes file, std::size_t most) {
  auto packets = read_ogg_opus(file);
  if (!packets) return tl::unexpected(packets.error());
  codec_ = "opus";
  for (dtls::Buffer& packet : *packets) {
    const std::string name = "packet " + std::to_string(frames_.size());
    const auto samples = opus_samples(packet);
    if (!samples) return tl::unexpected(name + " is none of Opus");
    // RFC 7587 section 4.2: one packet of Opus in each of RTP.
    if (packet.size() > most) {
      return tl::unexpected(name + " has " + std::to_string(packet.size()) +
                            " bytes, and a packet of RTP has room for " + std::to_string(most));
    }
    std::vector<dtls::Buffer> payload;
    payload.push_back(std::move(packet));
    add(duration_, true, std::move(payload));
    duration_ += *samples;
  }
  return {};
}

void Recording::add(std::uint64_t time, bool is_key_frame, std::vector<dtls::Buffer> payloads) {
  frame_of_packet_.insert(frame_of_packet_.end(), payloads.size(), frames_.size());
  frames_.push_back({.time = time,
                     .packet = payloads_.size(),
                     .packets = payloads.size(),
                     .is_key_frame = is_key_frame});
  std::ranges::move(payloads, std::back_inserter(payloads_));
}

void Recording::make_index() {
  for (std::size_t i = 0; i < payloads_.size(); ++i) {
    by_payload_.emplace(as_text(payloads_[i]), i);
  }
}

std::uint64_t Recording::time_of(std::size_t frame) const {
  return (frame + 1 < frames_.size() ? frames_[frame + 1].time : duration_) - frames_[frame].time;
}

std::vector<std::size_t> Recording::find(rtp::Bytes payload) const {
  const auto [begin, end] = by_payload_.equal_range(as_text(payload));
  std::vector<std::size_t> packets;
  std::transform(begin, end, std::back_inserter(packets),
                 [](const auto& entry) { return entry.second; });
  std::ranges::sort(packets);
  return packets;
}

}  // namespace sluice::interop::load
