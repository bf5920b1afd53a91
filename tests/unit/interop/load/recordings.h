// Files as they are for Recording, made here.
#pragma once

#include <ogg/ogg.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/dtls/bytes.h>

namespace sluice::interop::load {

inline void add_number(dtls::Buffer& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(static_cast<std::byte>(value >> (8 * i) & 0xff));
  }
}

inline void add_text(dtls::Buffer& out, std::string_view text) {
  for (const char each : text) out.push_back(static_cast<std::byte>(each));
}

// The header of an IVF file, with a unit of time of 1/`rate` s.
inline dtls::Buffer ivf_header(std::string_view codec = "VP80", std::uint32_t rate = 30) {
  dtls::Buffer file;
  add_text(file, "DKIF");
  add_number(file, 0, 2);
  add_number(file, 32, 2);
  add_text(file, codec);
  add_number(file, 320, 2);
  add_number(file, 240, 2);
  add_number(file, rate, 4);
  add_number(file, 1, 4);
  add_number(file, 0, 8);
  return file;
}

inline void add_ivf_frame(dtls::Buffer& file, std::uint64_t time, const dtls::Buffer& frame) {
  add_number(file, frame.size(), 4);
  add_number(file, time, 8);
  file.insert(file.end(), frame.begin(), frame.end());
}

// A frame of VP8 of `size` bytes, 10 at least; `mark` makes it another one.
inline dtls::Buffer vp8_frame(bool is_key_frame, std::size_t size, std::uint8_t mark) {
  dtls::Buffer frame(size, std::byte{mark});
  frame[0] = is_key_frame ? std::byte{0x10} : std::byte{0x11};
  frame[1] = frame[2] = std::byte{0};
  if (!is_key_frame) return frame;
  frame[3] = std::byte{0x9d};
  frame[4] = std::byte{0x01};
  frame[5] = std::byte{0x2a};
  return frame;
}

// Frames of VP8 of 2,499 bytes, 30 in a second; a key frame first and at `second`.
inline dtls::Buffer vp8_file(std::size_t frames, std::size_t second = 0) {
  auto file = ivf_header();
  for (std::size_t i = 0; i < frames; ++i) {
    add_ivf_frame(file, i,
                  vp8_frame(i == 0 || i == second, 2499, static_cast<std::uint8_t>(i + 1)));
  }
  return file;
}

// A page of Ogg for each packet.
inline dtls::Buffer ogg_file(const std::vector<dtls::Buffer>& packets, int serial = 7) {
  dtls::Buffer file;
  ogg_stream_state stream{};
  ogg_stream_init(&stream, serial);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    dtls::Buffer bytes = packets[i];
    ogg_packet packet{.packet = reinterpret_cast<unsigned char*>(bytes.data()),
                      .bytes = static_cast<long>(bytes.size()),
                      .b_o_s = i == 0 ? 1 : 0,
                      .e_o_s = i + 1 == packets.size() ? 1 : 0,
                      .granulepos = static_cast<ogg_int64_t>(960 * i),
                      .packetno = static_cast<ogg_int64_t>(i)};
    ogg_stream_packetin(&stream, &packet);
    ogg_page page{};
    while (ogg_stream_flush(&stream, &page) != 0) {
      const auto* const head = reinterpret_cast<const std::byte*>(page.header);
      const auto* const body = reinterpret_cast<const std::byte*>(page.body);
      file.insert(file.end(), head, head + page.header_len);
      file.insert(file.end(), body, body + page.body_len);
    }
  }
  ogg_stream_clear(&stream);
  return file;
}

inline dtls::Buffer text_packet(std::string_view text) {
  dtls::Buffer packet;
  add_text(packet, text);
  return packet;
}

// Opus of 20 ms each (CELT, fullband, one frame), with other bytes in each.
inline dtls::Buffer opus_file(std::size_t packets) {
  std::vector<dtls::Buffer> all = {text_packet("OpusHead........"),
                                   text_packet("OpusTags........")};
  for (std::size_t i = 0; i < packets; ++i) {
    all.push_back({std::byte{0xf8}, static_cast<std::byte>(i), std::byte{1}});
  }
  return ogg_file(all);
}

}  // namespace sluice::interop::load
