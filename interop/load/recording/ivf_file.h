// Reads IVF, the container of libvpx for VP8, VP9 and AV1: a header of 32 bytes, and frames with a
// header of 12 bytes.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include <sluice/rtp/bytes.h>

namespace sluice::interop::load {

struct IvfFrame {
  std::uint64_t time = 0;  // in units of IvfFile::scale / IvfFile::rate seconds
  rtp::Bytes data;         // of the file
};

struct IvfFile {
  std::string codec;  // "VP80", "VP90", "AV01"
  std::uint32_t rate = 0;
  std::uint32_t scale = 0;
  std::vector<IvfFrame> frames;  // at least one; their times grow
};

// The error says what is wrong with the file. The count of frames in its header is not read: not
// every writer knows it when it writes the header.
tl::expected<IvfFile, std::string> read_ivf(rtp::Bytes file);

}  // namespace sluice::interop::load
