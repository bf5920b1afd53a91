// Whole calls recorded by dtls::Capture, read by Wireshark with the secrets inside.
#include <gmock/gmock.h>
#include <sluice/dtls/capture.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "scenario/diagnostics/watched_call.h"
#include "support/by_version.h"
#include "support/pcapng_file.h"

namespace sluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// What tshark prints of the file. It knows DTLS by its first record, or here by its port.
std::string tshark(dtls::Bytes file, const std::string& arguments) {
  const auto path = std::filesystem::path(testing::TempDir()) /
                    ("sluice_wireshark_test_" + std::to_string(getpid()) + ".pcapng");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
  const std::string command = SLUICE_TSHARK " -n -d udp.port==4433,dtls -r '" + path.string() +
                              "' " + arguments + " 2>/dev/null";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("popen");
  std::string text;
  std::array<char, 4096> piece{};
  while (const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe)) {
    text.append(piece.data(), size);
  }
  EXPECT_EQ(pclose(pipe), 0) << text;
  std::filesystem::remove(path);
  return text;
}

// Of each packet, in order.
std::string fields(dtls::Bytes file, const std::string& names) {
  std::string arguments = "-T fields -o udp.check_checksum:TRUE";
  for (const char c : ' ' + names) arguments += c == ' ' ? " -e " : std::string(1, c);
  return tshark(file, arguments);
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

class Wireshark : public ByVersion {
 protected:
  dtls::Capture capture_{{.epoch = std::chrono::microseconds{1'700'000'000'123'456}}};
};

TEST_P(Wireshark, SeesUdpDatagramsWithAddressesTimesAndChecksums) {
  WatchedCall call(options(), {.packet_observer = &capture_});
  const auto datagrams = 2 * call.run().size();
  const auto text =
      fields(capture_.take(),
             "frame.time_epoch ipv6.src ipv6.dst udp.srcport udp.dstport udp.checksum.status");
  const std::string time = "1700000000.123456000\t";
  const std::string ports = "\t4433\t4433\t1\n";
  EXPECT_EQ(count(text, time), datagrams) << text;
  EXPECT_EQ(count(text, ports), datagrams) << text;  // 1: the checksum is good
  EXPECT_THAT(text, AllOf(HasSubstr("2001:db8::1\t2001:db8::1:0:1" + ports),
                          HasSubstr("2001:db8::1:0:1\t2001:db8::1" + ports),
                          HasSubstr("2001:db8::1\t2001:db8::2:0:1" + ports),
                          HasSubstr("2001:db8::2:0:1\t2001:db8::1" + ports)));
}

TEST_P(Wireshark, SeesIpv4AddressesOfTheCallers) {
  dtls::Capture named({.addresses = [](dtls::ConnectionNumber, dtls::PathId) {
    return dtls::CaptureOptions::Path{{dtls::Ipv4Address{192, 0, 2, 1}, 5000},
                                      {dtls::Ipv4Address{198, 51, 100, 7}, 6000}};
  }});
  WatchedCall call(options(), {.packet_observer = &named});
  call.run();
  EXPECT_THAT(fields(named.take(), "ip.src ip.dst udp.srcport udp.dstport ip.checksum"),
              AllOf(HasSubstr("192.0.2.1\t198.51.100.7\t5000\t6000\t"),
                    HasSubstr("198.51.100.7\t192.0.2.1\t6000\t5000\t")));
}

TEST_P(Wireshark, ShowsWhatWasDiscarded) {
  WatchedCall call(options(), {.packet_observer = &capture_});
  call.run();
  const auto again = call.client.seal(bytes_of("twice"));
  call.server.receive(again, {});
  call.server.receive(again, {});
  EXPECT_EQ(count(fields(capture_.take(), "frame.comment"), "discarded: replayed"), 1);
}

// Wireshark 4.0, which is Debian 12's, sees of DTLS 1.3 the hellos alone; that the secrets in the
// file open the rest is for our own reader to say.
TEST_P(Wireshark, TheSecretsInTheFileOpenThePacketsInIt) {
  WatchedCall call(options(), {.key_log = &capture_, .packet_observer = &capture_});
  call.run();
  const auto file = read_pcapng(capture_.take());
  Eavesdropper eavesdropper(file.key_log);
  for (const auto& packet : file.packets) {
    // The client's own view: its address ends in 1, the peer's in the connection and the path.
    const bool is_clients =
        to_hex(packet.source).find("0000000100000001") != std::string::npos ||
        to_hex(packet.destination).find("0000000100000001") != std::string::npos;
    if (!is_clients) continue;
    eavesdropper.hear(packet.flags == 2 ? dtls::Role::client : dtls::Role::server, packet.payload);
  }
  EXPECT_EQ(eavesdropper.unreadable, 0);
  ASSERT_GE(eavesdropper.records.size(), 2);
  EXPECT_EQ(eavesdropper.records.back().contents, copy_of(bytes_of("from the server")));
  // Of all that is encrypted, nothing comes before its keys.
  EXPECT_LE(file.packets_before_key_log, is13() ? 1 : 4);
}

TEST_P(Wireshark, NamesTheMessages) {
  WatchedCall call(options(), {.key_log = &capture_, .packet_observer = &capture_});
  call.run();
  const auto text = tshark(capture_.take(), "");
  EXPECT_EQ(count(text, " Client Hello"), 2) << text;
  EXPECT_EQ(count(text, " Server Hello"), is13() ? 2 : 4) << text;  // with Server Hello Done
  if (is13()) return;
  EXPECT_EQ(count(text, "Change Cipher Spec, Finished"), 4) << text;
}

TEST_P(Wireshark, DecryptsWithTheSecretsAndNotWithoutThem) {
  if (is13()) return;
  const auto data = [](bool with_secrets) {
    dtls::Capture recorder;
    WatchedCall call(options(),
                     {.key_log = with_secrets ? &recorder : nullptr, .packet_observer = &recorder});
    call.run();
    return fields(recorder.take(), "data.data");
  };
  const auto client_said = HasSubstr(to_hex(bytes_of("from the client")));
  const auto server_said = HasSubstr(to_hex(bytes_of("from the server")));
  EXPECT_THAT(data(true), AllOf(client_said, server_said));
  EXPECT_THAT(data(false), AllOf(Not(client_said), Not(server_said)));
}

INSTANTIATE_TEST_SUITE_P(Versions, Wireshark, both_versions(), name_of_version);

}  // namespace
}  // namespace sluice::test
