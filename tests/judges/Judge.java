// EU DSS as a judge of time-stamp responses and of signed PDFs. One run judges a whole set.
//
//   java -cp '.tools/dss/lib/*' tests/judges/Judge.java token|pdf OPTIONS < JOBS > VERDICTS
//
// OPTIONS, each as often as needed, with a file of DER: --anchor CERTIFICATE (trusted),
// --certificate CERTIFICATE (an untrusted helper), --crl CRL, --ocsp RESPONSE.
// A job is a line of fields with tabs between; `-` stands for none:
//   token: name, file, SHA-256 of the data (hex), nonce (decimal), policy, judged at (Unix seconds)
//   pdf:   name, file, judged at (Unix seconds)
// A CRL is shown to a job only if it is of the moment that the job is judged at: thisUpdate is not
// after it, nextUpdate not before. The policy is DSS's default with one constraint added: of a
// time-stamping certificate with the extension noRevAvail (RFC 9608) no revocation data is asked.
//
// A verdict is a line of JSON: name, accepted, indication, reasons, formats (of the signatures in a
// PDF, as PAdES-BASELINE-T).

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.DigestDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.service.NonceSource;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.client.http.DataLoader;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.revocation.ocsp.ExternalResourcesOCSPSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.timestamp.DetachedTimestampValidator;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.util.ArrayList;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;

public class Judge {
    private final List<byte[]> crls = new ArrayList<>();
    private final List<DSSDocument> ocsps = new ArrayList<>();
    private final CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
    private final CommonCertificateSource helpers = new CommonCertificateSource();

    record Verdict(
            boolean accepted, String indication, List<String> reasons, List<String> formats) {}

    public static void main(String[] words) throws Exception {
        Judge judge = new Judge();
        for (int i = 1; i + 1 < words.length; i += 2) {
            judge.option(words[i], Path.of(words[i + 1]));
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        BufferedReader in =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] job = line.split("\t", -1);
            Verdict verdict;
            try {
                verdict = words[0].equals("pdf") ? judge.pdf(job) : judge.token(job);
            } catch (Exception error) { // what DSS cannot even read, it does not accept
                verdict = new Verdict(false, "REFUSED", List.of(String.valueOf(error.getMessage())),
                        List.of());
            }
            out.println(json(job[0], verdict));
        }
    }

    private void option(String name, Path file) throws Exception {
        byte[] data = Files.readAllBytes(file);
        switch (name) {
            case "--anchor" -> anchors.addCertificate(DSSUtils.loadCertificate(data));
            case "--certificate" -> helpers.addCertificate(DSSUtils.loadCertificate(data));
            case "--crl" -> crls.add(data);
            case "--ocsp" -> ocsps.add(new InMemoryDocument(data));
            default -> throw new IllegalArgumentException(name);
        }
    }

    private static boolean covers(byte[] crl, Date at) {
        try {
            X509CRL read = (X509CRL) CertificateFactory.getInstance("X.509")
                    .generateCRL(new ByteArrayInputStream(crl));
            return !read.getThisUpdate().after(at) && !at.after(read.getNextUpdate());
        } catch (GeneralSecurityException error) {
            return false;
        }
    }

    private static InputStream policy() throws IOException {
        try (InputStream in = Judge.class.getResourceAsStream("/policy/constraint.xml")) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            int stamps = text.indexOf("<Timestamp>");
            int place = text.indexOf("<RevocationDataAvailable", stamps);
            String skip = "<RevocationDataSkip Level=\"INFORM\"><CertificateExtensions>"
                    + "<Id>2.5.29.56</Id></CertificateExtensions></RevocationDataSkip>";
            String changed = text.substring(0, place) + skip + text.substring(place);
            return new ByteArrayInputStream(changed.getBytes(StandardCharsets.UTF_8));
        }
    }

    private CommonCertificateVerifier verifier(Date at) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null); // nothing is fetched
        verifier.setTrustedCertSources(anchors);
        verifier.setAdjunctCertSources(helpers);
        verifier.setCrlSource(new ExternalResourcesCRLSource(
                crls.stream().filter(crl -> covers(crl, at))
                        .map(InMemoryDocument::new).toArray(DSSDocument[]::new)));
        verifier.setOcspSource(new ExternalResourcesOCSPSource(ocsps.toArray(new DSSDocument[0])));
        return verifier;
    }

    /** First as DSS's own client receives the answer, then as its validator judges the token. */
    private Verdict token(String[] job) throws Exception {
        byte[] response = Files.readAllBytes(Path.of(job[1]));
        byte[] digest = HexFormat.of().parseHex(job[2]);
        OnlineTSPSource client = new OnlineTSPSource("none:", new Answer(response));
        if (!job[3].equals("-")) {
            byte[] nonce = new BigInteger(job[3]).toByteArray();
            client.setNonceSource((NonceSource) () -> nonce);
        }
        if (!job[4].equals("-")) {
            client.setPolicyOid(job[4]);
        }
        byte[] token = client.getTimeStampResponse(DigestAlgorithm.SHA256, digest).getBytes();
        DetachedTimestampValidator validator =
                new DetachedTimestampValidator(new InMemoryDocument(token));
        validator.setTimestampedData(new DigestDocument(DigestAlgorithm.SHA256, digest));
        SimpleReport report = validated(validator, job[5]);
        return verdict(report, report.getTimestampIdList());
    }

    /** A signed PDF: every signature and every time-stamp in it has to pass. */
    private Verdict pdf(String[] job) throws Exception {
        SignedDocumentValidator validator =
                SignedDocumentValidator.fromDocument(new FileDocument(job[1]));
        SimpleReport report = validated(validator, job[2]);
        List<String> all = new ArrayList<>(report.getSignatureIdList());
        all.addAll(report.getTimestampIdList());
        return verdict(report, all);
    }

    private SimpleReport validated(SignedDocumentValidator validator, String seconds)
            throws IOException {
        Date at = new Date(Long.parseLong(seconds) * 1000);
        validator.setCertificateVerifier(verifier(at));
        validator.setValidationTime(at);
        return validator.validateDocument(policy()).getSimpleReport();
    }

    private static Verdict verdict(SimpleReport report, List<String> ids) {
        boolean accepted = !ids.isEmpty();
        List<String> indications = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        for (String id : ids) {
            Indication found = report.getIndication(id);
            accepted &= found == Indication.PASSED || found == Indication.TOTAL_PASSED;
            indications.add(found + (report.getSubIndication(id) == null
                    ? "" : "/" + report.getSubIndication(id)));
            for (Message message : report.getAdESValidationErrors(id)) {
                reasons.add(message.getValue());
            }
        }
        List<String> formats = report.getSignatureIdList().stream()
                .map(id -> String.valueOf(report.getSignatureFormat(id))).toList();
        return new Verdict(accepted, String.join(" ", indications), reasons, formats);
    }

    /** Answers every request with the one response that is to be judged. */
    private record Answer(byte[] response) implements DataLoader {
        public byte[] get(String url) {
            throw new IllegalStateException("nothing is fetched");
        }

        public DataAndUrl get(List<String> urls) {
            throw new IllegalStateException("nothing is fetched");
        }

        public byte[] post(String url, byte[] content) {
            return response;
        }

        public void setContentType(String contentType) {}
    }

    private static String json(String name, Verdict verdict) {
        String reasons = list(verdict.reasons());
        return "{\"name\":" + quoted(name) + ",\"accepted\":" + verdict.accepted()
                + ",\"indication\":" + quoted(verdict.indication())
                + ",\"reasons\":" + reasons + ",\"formats\":" + list(verdict.formats()) + "}";
    }

    private static String list(List<String> texts) {
        return "[" + String.join(",", texts.stream().map(Judge::quoted).toList()) + "]";
    }

    private static String quoted(String text) {
        StringBuilder out = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < 0x20 || c > 0x7E) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return out.append('"').toString();
    }
}
