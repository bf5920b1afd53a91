// One RTP stream through a server: its packets are rewritten for the receiver, and the server
// reports about them to the sender. The packets are in plaintext, as a MediaTransport hands them
// out and takes them.
#include <sluice/rtp/extension.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/reception.h>
#include <sluice/rtp/report_timer.h>
#include <sluice/rtp/rtcp.h>

#include <array>
#include <cstdint>
#include <iostream>
#include <random>
#include <span>
#include <variant>

namespace rtp = sluice::rtp;
using namespace std::chrono_literals;

// What signalling has agreed on.
static constexpr rtp::Ssrc kServer{7};  // sends the reports, and what is forwarded
static constexpr rtp::PayloadType kReceiverVp8{100};
static constexpr rtp::ExtensionId kSenderMid{4};    // a=extmap of the sender
static constexpr rtp::ExtensionId kReceiverMid{9};  // and of the receiver

class Forwarder {
 public:
  // A packet of the sender. False: it is dropped. Otherwise it is ready for protect_rtp().
  bool forward(rtp::MutableBytes packet, rtp::Instant now) {
    const auto read = rtp::read_packet(packet);
    if (!read) {
      ++malformed_[static_cast<std::size_t>(read.error())];
      return false;
    }
    source_ = read->ssrc;
    if (reception_.on_packet(read->sequence_number, read->timestamp, now) == rtp::Arrival::jump) {
      return false;
    }
    rtp::ExtensionIds ids{};  // elements that the receiver has not agreed to are removed
    ids[rtp::number(kSenderMid)] = rtp::number(kReceiverMid);
    if (!rtp::replace_extension_ids(packet, ids)) return false;
    rtp::set_payload_type(packet, kReceiverVp8);
    rtp::set_ssrc(packet, kServer);
    return true;
  }

  // A compound of the sender.
  void on_rtcp(rtp::Bytes compound, rtp::Instant now) {
    timer_.on_compound(compound.size());
    rtp::CompoundReader reader(compound);
    while (const auto packet = reader.next()) {
      if (!*packet) {
        ++malformed_[static_cast<std::size_t>(packet->error())];
      } else if (const auto* report = std::get_if<rtp::SenderReport>(&**packet)) {
        reception_.on_sender_report(*report, now);
      }
    }
  }

  // At next_timeout(): the compound for protect_rtcp(), in `out`; empty: none is due.
  rtp::MutableBytes report(rtp::MutableBytes out, rtp::Instant now) {
    if (timer_.handle_timeout(now, random_()) == rtp::ReportDue::nothing) return {};
    const rtp::ReportBlock block = reception_.report_block(source_, now);
    const rtp::SdesItem cname{
        .source = kServer, .type = rtp::SdesType::cname, .text = "server.example"};
    rtp::CompoundWriter writer(rtp::CompoundForm::full, out);
    const bool written =
        writer.add(rtp::ReceiverReport{.sender = kServer, .blocks = std::span(&block, 1)}) &&
        writer.add(rtp::SourceDescription{std::span(&cname, 1)}) &&
        writer.add(rtp::PictureLossIndication{.sender = kServer, .media = source_});
    return written ? writer.compound() : rtp::MutableBytes{};
  }
  [[nodiscard]] rtp::Instant next_timeout() const { return timer_.next_timeout(); }

 private:
  std::random_device random_;
  rtp::Ssrc source_{};
  rtp::Reception reception_{{.clock_rate = 90000}};
  rtp::ReportTimer timer_{{}, rtp::Instant{}, random_()};
  std::array<std::uint64_t, rtp::kMalformedReasons> malformed_{};  // for statistics
};

// A packet as the sender makes it.
static std::size_t make_packet(rtp::MutableBytes out, std::uint16_t sequence_number) {
  std::array<std::byte, 16> space{};
  rtp::ExtensionWriter extension(rtp::ExtensionForm::one_byte, space);
  const std::array mid = {std::byte{'v'}};
  const std::array<std::byte, 100> payload{};
  if (!extension.add(kSenderMid, mid)) return 0;
  return rtp::write_packet({.payload_type = rtp::PayloadType{96},
                            .sequence_number = rtp::SequenceNumber{sequence_number},
                            .timestamp = rtp::Timestamp{3000U * sequence_number},
                            .ssrc = rtp::Ssrc{1},
                            .has_extension = true,
                            .extension = extension.finish().value_or(rtp::HeaderExtension{}),
                            .payload = payload},
                           out)
      .value_or(0);
}

int main() {
  Forwarder forwarder;
  rtp::Instant now{};
  std::array<std::byte, 1500> buffer{};
  for (const std::uint16_t sequence_number :
       std::array<std::uint16_t, 4>{1, 2, 4, 5}) {  // 3 is lost
    now += 33ms;
    const auto packet = std::span(buffer).first(make_packet(buffer, sequence_number));
    if (!forwarder.forward(packet, now)) return 1;
  }

  // The timer may find at first that it is too early (RFC 3550 section 6.3.6).
  rtp::MutableBytes compound;
  for (int i = 0; i < 1000 && compound.empty(); ++i) {
    compound = forwarder.report(buffer, forwarder.next_timeout());
  }
  rtp::CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    if (!*packet) return 1;
    if (const auto* report = std::get_if<rtp::ReceiverReport>(&**packet)) {
      std::cout << "lost: " << report->blocks[0].packets_lost << '\n';
      return report->blocks[0].packets_lost == 1 ? 0 : 1;
    }
  }
  return 1;
}
