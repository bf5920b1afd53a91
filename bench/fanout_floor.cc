#include "fanout_floor.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace sluice::bench {
namespace {

constexpr std::size_t kTrailer = 16;

}  // namespace

FanOutFloor::FanOutFloor(FloorWork work, const std::vector<dtls::UdpEndpoint>& receivers,
                         dtls::Bytes packet, std::size_t joined)
    : work_(work),
      joined_(joined),
      socket_(socket(AF_INET, SOCK_DGRAM, 0)),
      packet_(packet.begin(), packet.end()),
      buffers_(kBatch, dtls::Buffer(joined * (packet.size() + kTrailer))) {
  if (socket_ < 0) throw std::runtime_error("socket");
  const int segment = static_cast<int>(packet.size() + kTrailer);
  if (joined > 1 && setsockopt(socket_, SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) != 0) {
    throw std::runtime_error("UDP_SEGMENT");
  }
  for (const auto& receiver : receivers) {
    receivers_.push_back(dtls::to_socket_address(receiver));
    if (work != FloorWork::send) {
      contexts_.emplace_back(dtls::SrtpProfile::aead_aes_128_gcm, true);
    }
  }
}

FanOutFloor::~FanOutFloor() { close(socket_); }

void FanOutFloor::run() {
  std::size_t count = 0;
  for (std::size_t i = 0; i < receivers_.size(); ++i) {
    dtls::Buffer& buffer = buffers_[count];
    pieces_[count] = {buffer.data(), write(i, buffer)};
    messages_[count].msg_hdr = {.msg_name = receivers_[i].get(),
                                .msg_namelen = receivers_[i].size,
                                .msg_iov = &pieces_[count],
                                .msg_iovlen = 1,
                                .msg_control = nullptr,
                                .msg_controllen = 0,
                                .msg_flags = 0};
    if (++count == kBatch) send(std::exchange(count, 0));
  }
  send(count);
  sequence_ = static_cast<std::uint16_t>(sequence_ + joined_);
}

std::size_t FanOutFloor::write(std::size_t receiver, dtls::MutableBytes buffer) {
  if (work_ == FloorWork::send) return buffer.size();
  std::size_t size = 0;
  for (std::size_t i = 0; i < joined_; ++i) {
    const auto room = buffer.subspan(size, packet_.size() + kTrailer);
    std::ranges::copy(packet_, room.begin());
    const auto sequence = static_cast<std::uint16_t>(sequence_ + i);
    room[2] = static_cast<std::byte>(sequence >> 8);
    room[3] = static_cast<std::byte>(sequence & 0xff);
    size += contexts_[receiver].protect(room, packet_.size());
  }
  return size;
}

void FanOutFloor::send(std::size_t count) {
  std::size_t done = work_ == FloorWork::protect ? count : 0;
  while (done < count) {
    const int sent =
        sendmmsg(socket_, &messages_[done], static_cast<unsigned>(count - done), MSG_DONTWAIT);
    if (sent <= 0) throw std::runtime_error("sendmmsg");
    done += static_cast<std::size_t>(sent);
  }
}

}  // namespace sluice::bench
