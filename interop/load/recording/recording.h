// The media of a file as the payloads of RTP packets, which can be sent again and again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/rtp/bytes.h>

#include "common/sdp/sdp_offer.h"

namespace sluice::interop::load {

// What a file may have, in bytes: all of it is kept in memory.
inline constexpr std::size_t kMaxRecording = 256U << 20;

struct RecordedFrame {
  std::uint64_t time = 0;   // since the first one, in units of the RTP clock
  std::size_t packet = 0;   // the first of its packets
  std::size_t packets = 0;  // how many
  bool is_key_frame = false;
};

class Recording {
 public:
  // `kind` video: VP8, VP9 or AV1 in IVF, audio: Opus in Ogg. `most`: bytes of a payload. The error
  // says what is wrong with the file.
  static tl::expected<std::shared_ptr<const Recording>, std::string> read(SectionKind kind,
                                                                          const std::string& path,
                                                                          std::size_t most);
  // Likewise, of what a file has.
  static tl::expected<std::shared_ptr<const Recording>, std::string> of(SectionKind kind,
                                                                        rtp::Bytes file,
                                                                        std::size_t most);

  [[nodiscard]] SectionKind kind() const { return kind_; }
  // As in SDP: "VP9" and "profile-id=0". No parameters: empty.
  [[nodiscard]] const std::string& codec() const { return codec_; }
  [[nodiscard]] const std::string& parameters() const { return parameters_; }
  [[nodiscard]] std::uint32_t clock_rate() const { return clock_rate_; }  // Hz

  // At least one; the first one is a key frame.
  [[nodiscard]] const std::vector<RecordedFrame>& frames() const { return frames_; }
  // Until the next round, in units of the RTP clock.
  [[nodiscard]] std::uint64_t duration() const { return duration_; }
  // From the frame to the next one, which may be that of the next round.
  [[nodiscard]] std::uint64_t time_of(std::size_t frame) const;

  // Of all frames, in order.
  [[nodiscard]] const std::vector<dtls::Buffer>& payloads() const { return payloads_; }
  [[nodiscard]] const RecordedFrame& frame_of(std::size_t packet) const {
    return frames_[frame_of_packet_[packet]];
  }
  // The packets that have this payload; none: it is not of this file.
  [[nodiscard]] std::vector<std::size_t> find(rtp::Bytes payload) const;

 private:
  Recording(SectionKind kind, std::uint32_t clock_rate) : kind_(kind), clock_rate_(clock_rate) {}
  tl::expected<void, std::string> take_video(rtp::Bytes file, std::size_t most);
  tl::expected<void, std::string> take_audio(rtp::Bytes file, std::size_t most);
  void add(std::uint64_t time, bool is_key_frame, std::vector<dtls::Buffer> payloads);
  void make_index();

  SectionKind kind_;
  std::string codec_;
  std::string parameters_;
  std::uint32_t clock_rate_;
  std::vector<RecordedFrame> frames_;
  std::uint64_t duration_ = 0;
  std::vector<dtls::Buffer> payloads_;
  std::vector<std::size_t> frame_of_packet_;
  std::unordered_multimap<std::string_view, std::size_t> by_payload_;
};

}  // namespace sluice::interop::load
